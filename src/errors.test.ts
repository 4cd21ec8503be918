import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { aborted, errorCodes, invalid, UserWorkerError } from './errors.js'
import { checkForLeaks } from './worker/leaks.fixture.js'

checkForLeaks()

describe('errors', () => {
  test('docs/reference/errors.md shows the same table as the code', () => {
    const page = readFileSync(new URL('../docs/reference/errors.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` *\| (.+?) *\|$/gm)].map(([, code, meaning]) => [
      code,
      meaning,
    ])
    assert.deepEqual(Object.fromEntries(rows), errorCodes)
  })

  test('carry a code, a cause and an exit code, and say so to the console', () => {
    const cause = new TypeError('why')
    const error = new UserWorkerError('ERR_WORKER_EXITED', 'left', { cause, exitCode: 7 })
    assert.deepEqual(
      [error.name, error.code, error.exitCode, error.cause],
      ['UserWorkerError', 'ERR_WORKER_EXITED', 7, cause],
    )
    assert.equal('exitCode' in new UserWorkerError('EAGAIN', 'x'), false)
    assert.equal('cause' in new UserWorkerError('EAGAIN', 'x'), false)
    assert.match(String(error.stack), /^UserWorkerError: left/)
  })

  test('a wrong argument is a TypeError with code EINVAL', () => {
    const error = invalid('no')
    assert.ok(error instanceof TypeError && error instanceof UserWorkerError)
    assert.equal(error.code, 'EINVAL')
  })

  test('instanceof also holds for an error from another copy of the library, and for nothing else', async () => {
    const copyUrl = new URL('./errors.js?copy', import.meta.url).href
    const copy = (await import(copyUrl)) as typeof import('./errors.js')
    assert.notEqual(copy.UserWorkerError, UserWorkerError)
    assert.ok(new copy.UserWorkerError('EAGAIN', 'x') instanceof UserWorkerError)
    for (const other of [new Error('x'), null, undefined, 'EAGAIN', { code: 'EAGAIN' }]) {
      assert.equal((other as unknown) instanceof UserWorkerError, false)
    }
  })

  test('instanceof goes by the class itself for a class of somebody else above it', () => {
    class Other extends UserWorkerError {}
    assert.equal(new UserWorkerError('EAGAIN', 'x') instanceof Other, false)
    assert.ok(new Other('EAGAIN', 'x') instanceof Other)
    assert.ok(new Other('EAGAIN', 'x') instanceof UserWorkerError)
  })

  test('an aborted signal makes an AbortError with its reason as the cause', () => {
    const error = aborted('why')
    assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', 'why'])
  })
})
