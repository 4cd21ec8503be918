import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkLibraryGraph, checkPackages } from './packages.js'
import { shown, treeOf, type Check } from './tree.js'

const found = async (check: Check, files: Record<string, string>): Promise<string[]> =>
  (
    await check(
      treeOf({
        'package.json': JSON.stringify({
          name: 'pkg',
          exports: { '.': './dist/index.js', './current': { default: './dist/wq/current.js' } },
          optionalDependencies: { commander: '1' },
          devDependencies: { 'fast-check': '1' },
        }),
        'src/index.ts': "import './os/a.js'",
        'src/wq/current.ts': "import 'node:async_hooks'",
        'src/os/a.ts': "new URL('./entry.js', import.meta.url)",
        'src/os/entry.ts': "import type {} from 'node:fs'",
        ...files,
      }),
    )
  ).map(shown)

describe("the check of the library's imports", () => {
  test('lets it import itself and Node', async () => {
    assert.deepEqual(await found(checkLibraryGraph, {}), [])
  })

  test('objects to a package that an export reaches, also by its type and by a thread', async () => {
    const alone = /^src\/[/a-z]+\.ts:1: the library has no dependencies: do without 'left-pad'/
    for (const path of ['src/wq/current.ts', 'src/os/entry.ts']) {
      for (const text of [
        "import 'left-pad'",
        "import type {} from 'left-pad'",
        "import('left-pad')",
      ])
        assert.match((await found(checkLibraryGraph, { [path]: text })).join(), alone)
    }
  })

  test('objects to a builtin by a name that a package could take', async () => {
    const message = (await found(checkLibraryGraph, { 'src/os/a.ts': "import 'fs'" })).join()
    assert.match(message, /^src\/os\/a\.ts:1: write 'node:fs'/)
    const unknown = (
      await found(checkLibraryGraph, { 'src/os/a.ts': "import 'node:telepathy'" })
    ).join()
    assert.match(unknown, /do without 'node:telepathy'/)
  })

  test('objects to the command line, and to exports of what is not there', async () => {
    const files = { 'src/cli/main.ts': '', 'src/os/a.ts': "import '../cli/main.js'" }
    assert.match((await found(checkLibraryGraph, files)).join(), /must not import the command line/)
    const exports = { './b': './dist/b.js' }
    const lost = await found(checkLibraryGraph, { 'package.json': JSON.stringify({ exports }) })
    assert.match(lost.join(), /package\.json exports src\/b\.ts, which is no file/)
  })

  test('lets koffi be loaded by os/koffi.ts, and not before it is asked to', async () => {
    const index = { 'src/index.ts': "import './os/koffi.js'" }
    const lazy = { ...index, 'src/os/koffi.ts': "const koffi = () => import('koffi')" }
    assert.deepEqual(
      [...(await found(checkLibraryGraph, lazy)), ...(await found(checkPackages, lazy))],
      [],
    )
    const early = { ...index, 'src/os/koffi.ts': "import koffi from 'koffi'" }
    assert.match((await found(checkLibraryGraph, early)).join(), /do without 'koffi'/)
    assert.match((await found(checkPackages, early)).join(), /do without it here/)
  })
})

describe('the check of packages', () => {
  test('lets the command line import what users get, and tests what developers get', async () => {
    const files = {
      'src/cli/a.ts': "import 'commander/esm.mjs'\nimport 'node:fs'\nimport '../index.js'",
      'src/os/a.test.ts': "import 'fast-check'",
    }
    assert.deepEqual(await found(checkPackages, files), [])
  })

  test('objects to packages elsewhere, in files that nothing imports too', async () => {
    const message = /^src\/os\/b(\.test)?\.ts:1: 'commander' may be imported under src\/cli\/ only/
    for (const path of ['src/os/b.ts', 'src/os/b.test.ts'])
      assert.match((await found(checkPackages, { [path]: "import('commander')" })).join(), message)
    assert.match(
      (await found(checkPackages, { 'src/b.ts': "import 'fast-check'" })).join(),
      /src\/cli\//,
    )
  })

  test('objects to packages that users do not get', async () => {
    for (const name of ['fast-check', '@scope/name'])
      assert.match(
        (await found(checkPackages, { 'src/cli/b.ts': `import '${name}/deep'` })).join(),
        new RegExp(`users do not get '${name}': add it`),
      )
  })
})
