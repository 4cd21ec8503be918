import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { checkEntry } from './beginning.js'
import { UserWorker } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { presentUrl, remedyFor } from './typescript.js'

checkForLeaks()

const files = {
  'package.json': '{ "type": "module" }',
  'source.ts': 'export default (): number => 7',
  'compiled.js': 'export default () => 8',
  'both.ts': '',
  'both.js': 'export default () => 9',
  'a.mts': '',
  'b.cjs': '',
  'enum.ts': 'export enum Size { Small }\nexport default () => Size.Small',
  'asks.ts': "import seven from './source.js'\nexport default seven",
}
let folder = ''
const url = (file: string): string => pathToFileURL(join(folder, file)).href

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'userworker typescript '))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
})
after(() => rmSync(folder, { recursive: true, force: true }))

const failureOf = async (file: string): Promise<Error & { code?: string }> =>
  UserWorker.create(url(file)).then(
    () => assert.fail('the module loaded'),
    (error: Error) => error,
  )

describe('the file of a module', () => {
  test('is the one named, where it is there', () => {
    for (const file of ['both.ts', 'both.js', 'a.mts'])
      assert.equal(presentUrl(url(file)), url(file))
  })

  test('is the one in the other language, where only that is there', () => {
    const pairs = { 'source.js': 'source.ts', 'compiled.ts': 'compiled.js', 'a.mjs': 'a.mts' }
    for (const [named, meant] of Object.entries({ ...pairs, 'b.cts': 'b.cjs' })) {
      assert.equal(presentUrl(url(named)), url(meant))
      assert.equal(presentUrl(`${url(named)}?v=1#x`), `${url(meant)}?v=1#x`)
    }
  })

  test('is the one named, where neither is there or nobody can look', () => {
    for (const named of [url('gone.js'), 'data:text/javascript,1', 'file:///50%ZZ.js', 'node:fs'])
      assert.equal(presentUrl(named), named)
  })

  test('may be compiled while its source is named: the program runs', async () => {
    const worker = await UserWorker.create(url('compiled.ts'))
    await worker.start()
    assert.equal(await worker.join(), 8)
  })
})

describe('a module that does not load says what to do about it', () => {
  const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript)

  test('when there is no such file', async () => {
    const { code, message } = await failureOf('gone.js')
    assert.equal(code, 'ERR_MODULE_LOAD')
    assert.match(message, /There is no such file, nor one that ends in \.ts$/)
  })

  test('when Node reads no TypeScript and nobody does it for it', async () => {
    if (stripsTypes) {
      const worker = await UserWorker.create(url('source.ts'))
      return assert.equal(await worker.stop(), -4)
    }
    const { code, message } = await failureOf('source.ts')
    assert.equal(code, 'ERR_MODULE_LOAD')
    assert.match(
      message,
      /reads no TypeScript: compile it, .* tsx .*, or use Node 22\.18 or newer$/,
    )
  })

  test('when Node strips types, and the module needs more', async (t) => {
    if (!stripsTypes) return t.skip(`Node ${process.versions.node} strips no types`)
    const more = await failureOf('enum.ts')
    assert.match(more.message, /Node only strips types, .*: compile it, or run with tsx/)
    const other = await failureOf('asks.ts')
    assert.match(other.message, /There is .*source\.ts: name it so in the import/)
    assert.deepEqual([more.code, other.code], ['ERR_MODULE_LOAD', 'ERR_MODULE_LOAD'])
  })

  test('and says nothing where it knows nothing', () => {
    const missing = {
      code: 'ERR_MODULE_NOT_FOUND',
      message: "Cannot find package 'x' imported from y",
    }
    for (const cause of [null, 'no', new Error('no'), missing])
      assert.equal(remedyFor(url('both.js'), cause), null)
    const strange = { code: 'ERR_UNKNOWN_FILE_EXTENSION', message: '' }
    assert.equal(remedyFor(url('x.wat'), strange), null)
  })
})

describe('the option entry', () => {
  test('is a URL or an absolute path of a file that is there', () => {
    assert.equal(checkEntry('it', undefined), undefined)
    assert.equal(checkEntry('it', new URL(url('both.js'))), url('both.js'))
    assert.equal(checkEntry('it', join(folder, 'both.js')), url('both.js'))
    assert.throws(() => checkEntry('it', 'both.js'), { code: 'EINVAL', message: /^it: entry must/ })
    assert.throws(() => checkEntry('it', url('gone.js')), {
      code: 'ERR_MODULE_LOAD',
      message: /^it: there is no file .*gone\.js, .* 'userworker\/entry'/,
    })
  })
})
