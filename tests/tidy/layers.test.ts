import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkCycles, checkDoors, checkLayers } from './layers.js'
import { shown, treeOf, type Check } from './tree.js'

const index = 'export const x = 1'

/** Folders with a door each, and the files given. */
const src = (files: Record<string, string>) =>
  treeOf({
    'package.json': JSON.stringify({
      name: 'pkg',
      exports: { '.': './dist/index.js', './current': { default: './dist/wq/current.js' } },
    }),
    'src/errors.ts': index,
    'src/validate.ts': "import './errors.js'\nimport './os/clock.js'",
    'src/os/clock.ts': index,
    'src/os/memory.ts': index,
    'src/worker/index.ts': index,
    'src/worker/table.ts': index,
    'src/wq/index.ts': index,
    'src/wq/current.ts': index,
    ...files,
  })

const found = async (check: Check, files: Record<string, string>): Promise<string[]> =>
  (await check(src(files))).map(shown)

const objects = async (check: Check, path: string, text: string, to: RegExp): Promise<void> => {
  const [first = 'no violation', ...more] = await found(check, { [path]: text })
  assert.match(first, to)
  assert.deepEqual(more, [])
}

describe('the check of layers', () => {
  test('lets imports go down', async () => {
    const files = {
      'src/index.ts': "export * from './wq/index.js'\nexport * from './os/clock.js'",
      'src/worker/worker.ts': "import * as memory from '#memory'\nimport '../os/clock.js'",
      'src/wq/queue.ts': "import '../worker/index.js'\nimport '../errors.js'\nimport 'node:fs'",
      'src/cli/main.ts': "import '../index.js'\nimport 'commander'",
      'src/worker/a.test.ts': "import '../index.js'\nimport '../wq/b.fixture.js'",
      'src/wq/b.fixture.ts': "import '../validate.js'",
      'src/all.test.ts': "import './wq/index.js'",
    }
    assert.deepEqual(await found(checkLayers, files), [])
  })

  test('objects to an import that goes up, in whatever form', async () => {
    for (const text of [
      "import { x } from '../wq/index.js'",
      "import type { x } from '../wq/index.js'",
      "import { type x } from '../wq/index.js'",
      "import '../wq/index.js'",
      "export * from '../wq/index.js'",
      "export type { x } from '../wq/index.js'",
      "let x: import('../wq/index.js').x",
      "let x: typeof import('../wq/index.js')",
      "const x = () => import('../wq/index.js')",
      'const x = () => import(`../wq/index.js`)',
      "import x = require('../wq/index.js')",
      "const x = require('../wq/index.js')",
      "const x = new URL('../wq/index.js', import.meta.url)",
      "import x from 'pkg/current'",
      "import {\n  x\n} from /* from './no.js' */ '../wq/index.js'",
    ]) {
      await objects(
        checkLayers,
        'src/worker/a.ts',
        text,
        /^src\/worker\/a\.ts:\d: .* below it are carry, os$/,
      )
    }
  })

  test('does not take a comment, a string or a template for an import', async () => {
    const text = `
      // import '../wq/index.js'
      /** import('../wq/index.js') */
      const a = "import '../wq/index.js'" + \`import('../wq/index.js') \${1}\` + /import '..\\/wq'/.source`
    assert.deepEqual(await found(checkLayers, { 'src/worker/a.ts': text }), [])
  })

  test('keeps the files of src/ itself at the bottom, but for the index', async () => {
    await objects(
      checkLayers,
      'src/errors.ts',
      "import './os/clock.js'",
      /errors\.ts:1: .*below it is no layer/,
    )
    await objects(checkLayers, 'src/validate.ts', "\nimport './wq/index.js'", /validate\.ts:2: /)
    const up = { 'src/index.ts': '', 'src/wq/a.ts': "import '../index.js'" }
    assert.match(
      (await found(checkLayers, up)).join(),
      /^src\/wq\/a\.ts:1: .*must not import src\/index\.ts/,
    )
    const files = { 'src/cli/main.ts': '', 'src/index.ts': "import './cli/main.js'" }
    assert.match((await found(checkLayers, files)).join(), /^src\/index\.ts:1: .*cli\/main\.ts/)
    await objects(checkLayers, 'src/index.ts', "import './gone.js'", /there is no \.\/gone\.js/)
    await objects(checkLayers, 'src/entry.ts', "import './os/clock.js'", /^src\/entry\.ts:1: /)
  })

  test('knows every folder and file, so that a new one gets a layer', async () => {
    await objects(checkLayers, 'src/sundry/a.ts', '', /^src\/sundry:1: has no layer/)
    await objects(checkLayers, 'src/sundry.ts', '', /^src\/sundry\.ts:1: has no layer/)
  })

  test('gives shared memory to the layers that need it, through #memory alone', async () => {
    await objects(
      checkLayers,
      'src/carry/a.ts',
      "import '#memory'",
      /carry does not touch shared memory/,
    )
    await objects(
      checkLayers,
      'src/cli/a.ts',
      "import type {} from '#memory'",
      /cli does not touch/,
    )
    await objects(checkLayers, 'src/worker/a.ts', "import '../os/memory.js'", /from '#memory'/)
    await objects(checkLayers, 'src/os/a.ts', "import './memory.js'", /from '#memory'/)
    assert.deepEqual(
      await found(checkLayers, { 'src/os/memory.test.ts': "import './memory.js'" }),
      [],
    )
  })

  test('keeps what serves tests, and what is not in the package, out of the library', async () => {
    const files = { 'src/os/a.fixture.ts': '', 'src/os/a.ts': "import './a.fixture.js'" }
    assert.match((await found(checkLayers, files)).join(), /a\.fixture\.ts is for tests/)
    const outside = { 'tests/a.ts': '', 'src/os/a.ts': "import '../../tests/a.js'" }
    assert.match((await found(checkLayers, outside)).join(), /tests\/a\.ts is not in src\//)
  })
})

describe('the check of doors', () => {
  test('lets a folder be entered through its index, and os/ through any file', async () => {
    const files = {
      'src/wq/a.ts': "import '../worker/index.js'\nimport '../os/clock.js'\nimport './current.js'",
      'src/wq/entry.ts': "import '../worker/thread-side.js'",
      'src/worker/thread-side.ts': '',
      'src/cli/a.ts': "import 'pkg/current'\nimport './demo/index.js'",
      'src/cli/demo/index.ts': "import '../b.js'\nimport '../../errors.js'",
      'src/cli/b.ts': '',
      'src/wq/a.test.ts': "import '../worker/b.fixture.js'",
      'src/worker/b.fixture.ts': "import './table.js'",
    }
    assert.deepEqual(await found(checkDoors, files), [])
  })

  test('objects to every other way in, also of tests and by a URL', async () => {
    const way = /^src\/wq\/a[.a-z]*:1: src\/worker\/table\.ts is no door: .*src\/worker\/index\.ts/
    await objects(checkDoors, 'src/wq/a.ts', "import '../worker/table.js'", way)
    await objects(checkDoors, 'src/wq/a.test.ts', "import '../worker/table.js'", way)
    const url = "new URL('../worker/table.js', import.meta.url)"
    await objects(checkDoors, 'src/wq/a.ts', url, way)
    const files = { 'src/cli/demo/a.ts': '', 'src/cli/a.ts': "import './demo/a.js'" }
    assert.match((await found(checkDoors, files)).join(), /src\/cli\/demo\/a\.ts is no door/)
    const deep = { 'src/cli/demo/index.ts': '', 'src/all.test.ts': "import './cli/demo/index.js'" }
    assert.match((await found(checkDoors, deep)).join(), /import from src\/cli\/index\.ts/)
  })

  test('lets the one module for bundlers, and no other, take what threads load', async () => {
    const files = { 'src/worker/entry.ts': '', 'src/entry.ts': "import './worker/entry.js'" }
    assert.deepEqual(await found(checkDoors, files), [])
    const other = { 'src/worker/entry.ts': '', 'src/index.ts': "import './worker/entry.js'" }
    assert.match((await found(checkDoors, other)).join(), /src\/worker\/entry\.ts is no door/)
  })

  test("keeps the package's further doors for its users", async () => {
    const to = /src\/wq\/current\.ts is a door for users of the package only/
    await objects(checkDoors, 'src/cli/a.ts', "import '../wq/current.js'", to)
  })
})

describe('the check of cycles', () => {
  test('finds the cycle and shows the way round it once', async () => {
    const files = {
      'src/os/a.ts': "import './b.js'",
      'src/os/b.ts': "import './c.js'\nimport './clock.js'",
      'src/os/c.ts': "import type { a } from './a.js'",
      'src/os/d.ts': "import './a.js'",
    }
    const cycle = 'src/os/a.ts → src/os/b.ts → src/os/c.ts → src/os/a.ts'
    const [first = '', ...more] = await found(checkCycles, files)
    assert.ok(first.startsWith(`src/os/c.ts:1: a cycle of imports: ${cycle}`), first)
    assert.deepEqual(more, [])
  })

  test('finds a file that imports itself', async () => {
    await objects(checkCycles, 'src/os/a.ts', "import './a.js'", /src\/os\/a\.ts → src\/os\/a\.ts/)
  })

  test("does not take a thread's entry, or two ways to one file, for a cycle", async () => {
    const files = {
      'src/os/a.ts': "new URL('./b.js', import.meta.url)\nimport './c.js'",
      'src/os/b.ts': "import './a.js'\nimport './c.js'",
      'src/os/c.ts': '',
    }
    assert.deepEqual(await found(checkCycles, files), [])
  })
})
