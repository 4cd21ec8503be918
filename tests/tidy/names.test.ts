import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkArchitecture, checkNames } from './names.js'
import { shown, treeOf, type Tree } from './tree.js'

const files = (...paths: string[]): Tree =>
  treeOf(Object.fromEntries(paths.map((path) => [path, ''])))

describe('the check of names', () => {
  test('objects to names that say nothing, of files and of folders', () => {
    for (const [path, file = path] of [
      ['src/os/utils.ts'],
      ['src/util/a.ts', 'src/util'],
      ['tests/test-helpers.ts'],
      ['tests/helpers/a.ts', 'tests/helpers'],
      ['src/common/a.ts', 'src/common'],
      ['src/wq/queue-manager.ts'],
      ['src/wq/QueueManager.ts'],
      ['src/wq/types.ts'],
      ['src/wq/types/a.ts', 'src/wq/types'],
      ['src/wq/task.test.ts'],
      ['examples/many_jobs.ts'],
    ] as const) {
      const [first = 'no violation', ...more] = checkNames(files(path)).map(shown)
      assert.ok(first.startsWith(`${file}:1: '`), `${path}: ${first}`)
      assert.deepEqual(more, [])
    }
  })

  test('says what to write instead', () => {
    assert.deepEqual(checkNames(files('src/wq/job.ts')).map(shown), [
      "src/wq/job.ts:1: 'job': a unit of work is a work",
    ])
  })

  test('lets words pass that only contain such a word', () => {
    assert.deepEqual(checkNames(files('src/jobless/multitasking.ts', 'src/utility.ts')), [])
    assert.deepEqual(checkNames(files('tests/handler-types.test.ts', 'src/prototypes.ts')), [])
  })
})

/** A tree of folders with this page. */
const withPage = (page: string): Tree =>
  treeOf({
    'ARCHITECTURE.md': page,
    'src/os/a.ts': '',
    'src/cli/demo/a.ts': '',
    'tests/model/a.ts': '',
    'docs/deep/a.md': '',
    '.github/workflows/a.yml': '',
  })

describe('the check of ARCHITECTURE.md', () => {
  test('wants each folder of src/ and tests/, and each at the top', () => {
    const all =
      '.github/ docs/\n\nsrc/\n  os/ the doors\n  cli/\n    demo/\n- `tests/model/`, tests/'
    assert.deepEqual(checkArchitecture(withPage(all)), [])
    assert.deepEqual(checkArchitecture(withPage('src/cli/demo/')).map(shown), [
      'ARCHITECTURE.md:1: says nothing of .github/: add what is in it',
      'ARCHITECTURE.md:1: says nothing of docs/: add what is in it',
      'ARCHITECTURE.md:1: says nothing of src/os/: add what is in it',
      'ARCHITECTURE.md:1: says nothing of tests/: add what is in it',
      'ARCHITECTURE.md:1: says nothing of tests/model/: add what is in it',
    ])
  })

  test('does not take another word for a folder', () => {
    const [first = ''] = checkArchitecture(withPage('macos/ osmosis os')).map(shown).slice(-3)
    assert.match(first, /src\/os\//)
  })

  test('wants the page itself', () => {
    const [first = ''] = checkArchitecture(files('src/os/a.ts')).map(shown)
    assert.match(first, /^ARCHITECTURE\.md:1: write it/)
  })
})
