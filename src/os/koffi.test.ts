import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { output } from './child.fixture.js'
import { checked, functions, lastError, native, needNative, systemError } from './koffi.js'
import { plantTree } from './tree.fixture.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

const libc = functions({
  number: 'int getpid()',
  close: 'int close(int fd)',
})

/** What a process prints that finds no package but this koffi, with the library's folder `os`. */
function printed(t: TestContext, koffi: string | null, script: string): string {
  const root = plantTree(t, { 'package.json': '{ "type": "module" }' })
  cpSync(fileURLToPath(new URL('..', import.meta.url)), join(root, 'dist'), { recursive: true })
  if (koffi !== null) {
    const folder = join(root, 'node_modules/koffi')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.cjs'), koffi)
    writeFileSync(join(folder, 'package.json'), '{ "main": "index.cjs" }')
  }
  const of = (file: string): string => JSON.stringify(pathToFileURL(join(root, 'dist', file)).href)
  const text = `import * as events from ${of('os/events.js')}
    import * as koffi from ${of('os/koffi.js')}
    import * as mapping from ${of('os/mapping.js')}
    const codeOf = (run) => { try { run(); return 'none' } catch (error) { return error.code + ': ' + error.message } }
    ${script}`
  return output(process.execPath, ['--input-type=module', '--eval', text])
}

describe('the door to the C library', { skip }, () => {
  test('calls functions by our names for them', () => {
    assert.equal(libc().number(), process.pid)
    assert.equal(libc(), libc(), 'they are declared once')
    assert.equal(native(), needNative())
  })

  test('tells what went wrong in the last call', () => {
    assert.equal(libc().close(-1), -1)
    assert.equal(lastError(), 'EBADF')
    const error = systemError('close', 'EBADF')
    assert.deepEqual(
      [error.code, error.syscall, error.message],
      ['EBADF', 'close', 'close failed: EBADF'],
    )
    assert.equal(checked('close', 3), 3)
    assert.throws(() => checked('close', libc().close(-1)), { code: 'EBADF', syscall: 'close' })
  })

  test('is shut without koffi: ENOTSUP, with what to do, and nothing before it is needed', (t) => {
    const script = `console.log(koffi.native())
      console.log(codeOf(() => events.event()))
      console.log(codeOf(() => new events.EventSet()))
      console.log(codeOf(() => mapping.memoryFile('a', 1)))
      console.log(codeOf(() => mapping.viewOf(1, 1)))`
    const lines = printed(t, null, script).split('\n')
    assert.equal(lines.shift(), 'null')
    assert.equal(lines.length, 4)
    for (const line of lines) assert.match(line, /^ENOTSUP: .*install the package 'koffi'/)
  })

  test('is shut with a koffi that has no binary for this system', (t) => {
    const koffi = "console.log('loaded'); throw new Error('Cannot find the native Koffi module')"
    const script =
      "console.log('imported'); console.log(codeOf(() => events.event()).slice(0, 7), koffi.native())"
    assert.equal(printed(t, koffi, script), 'imported\nloaded\nENOTSUP null')
  })
})
