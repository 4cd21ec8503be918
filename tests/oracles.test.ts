import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from './root.js'

const page = readFileSync(join(root, 'docs', 'internals', 'oracles.md'), 'utf8')
/** The tests of io_uring's own library that concern its workers. */
const oracles =
  'io-wq-exit io-wq-unused-exit wq-aff io-cancel cancel-race sync-cancel thread-exit exit-no-cleanup ' +
  'ring-leak ring-leak2 coredump shared-wq personality self files-exit-hang-poll ' +
  'files-exit-hang-timeout teardowns across-fork read-before-exit link submit-link-fail link_drain ' +
  'link-timeout fpos submit-reuse futex-kill'

interface Row {
  readonly name: string
  readonly text: string
  readonly cited: readonly string[]
}

const rows: Row[] = page.split('\n').flatMap((line) => {
  const [, name, text = '', tests = ''] = /^\| `([\w-]+)` +\| (.*?) +\| (.*?) *\|$/.exec(line) ?? []
  if (name === undefined) return []
  return [{ name, text, cited: [...tests.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one) }]
})

describe("the page of the oracles of io_uring's tests", () => {
  test('has a row for each of them', () => {
    assert.deepEqual(rows.map(({ name }) => name).toSorted(), oracles.split(' ').toSorted())
  })

  test('cites tests that are there, or says why there is none', () => {
    for (const { name, text, cited } of rows) {
      assert.ok(cited.length > 0 || text.startsWith('None: '), `${name} is shown by nothing`)
      for (const one of cited) {
        const [file = '', ...title] = one.split(': ')
        const source = readFileSync(join(root, file), 'utf8')
        const quoted = [`'${title.join(': ')}'`, `"${title.join(': ')}"`]
        const isThere = quoted.some((each) => source.includes(`test(${each}`))
        assert.ok(isThere, `${name}: there is no test ${one}`)
      }
    }
  })
})
