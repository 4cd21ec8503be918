import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { UserWorkerError } from '../errors.js'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { standingOf } from '../os/standing.js'
import { checkForLeaks } from './leaks.fixture.js'
import { beginning, functionOf, moduleOf, whileLoading } from './module.fixture.js'
import { UserWorker, type UserWorkerOptions } from './index.js'
import { workerRows, table } from './table.js'

checkForLeaks()

type Coded = Error & { code?: string; exitCode?: number }

const causeOf = (error: Error | null): Coded | undefined => error?.cause as Coded | undefined

/** What a creation that must fail fails with; and that nothing of it is left. */
async function failureOf(module: URL | string, options: UserWorkerOptions = {}): Promise<Coded> {
  const before = workerRows(table()).length
  const error = await UserWorker.create(module, options).then(
    () => assert.fail('the creation must fail'),
    (reason: unknown) => reason as Coded,
  )
  assert.equal(workerRows(table()).length, before, 'INV-UW-5: nothing of it is left')
  return error
}

/** Holds this thread, and with it each deadline, until the worker's thread stands in a call. */
function holdUntilItStands(): void {
  const thread = threadsOf().find(({ name }) => name.startsWith('uw:'))
  const end = Date.now() + 60_000
  while (!/^sleeping(?! in futex)/.test(standingOf(thread?.tid ?? 0) ?? '')) {
    assert.ok(Date.now() < end, 'its thread does not stand')
  }
}

const heap = { resourceLimits: { maxOldGenerationSizeMb: 16 } }
const fill = '(() => { let all = null; for (;;) all = { all } })()'

describe('creation fails with a code and its cause, and leaves nothing', () => {
  test('UW-7: when the module throws at import', async () => {
    const error = await failureOf(moduleOf('throw new RangeError("no")'))
    assert.ok(error instanceof UserWorkerError)
    assert.equal(error.code, 'ERR_MODULE_LOAD')
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, 'no')
  })

  test('when the module is not there', async () => {
    const error = await failureOf('/nowhere/at-all.js')
    assert.equal(error.code, 'ERR_MODULE_LOAD')
    assert.equal(causeOf(error)?.code, 'ERR_MODULE_NOT_FOUND')
  })

  test('when the module has a syntax error', async () => {
    const error = await failureOf(moduleOf('export default ((('))
    assert.equal(error.code, 'ERR_MODULE_LOAD')
    assert.ok(error.cause instanceof SyntaxError)
  })

  test('when the module never finishes loading, awaiting or spinning', async () => {
    for (const text of ['await new Promise((resolve) => setTimeout(resolve, 1e8))', 'for (;;);']) {
      const begun = Date.now()
      const module = moduleOf(`${beginning}; ${text}; export default () => {}`)
      const error = await whileLoading(() => failureOf(module, { loadDeadlineMs: 100 }))
      assert.equal(error.code, 'ERR_MODULE_LOAD_TIMEOUT')
      assert.ok(Date.now() - begun < 5000, 'it does not hang')
    }
  })

  test('when the module never finishes loading because its thread stands in a system call', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-fifo-'))
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const begun = Date.now()
    const module = moduleOf(
      `${beginning}; import { readFileSync } from 'node:fs'; readFileSync('${fifo}'); export default () => {}`,
    )
    const rejection = whileLoading(() => UserWorker.create(module, { loadDeadlineMs: 100 }))
    holdUntilItStands()
    await assert.rejects(rejection, { code: 'ERR_MODULE_LOAD_TIMEOUT', message: /system call/ })
    assert.ok(Date.now() - begun < 5000, 'it does not hang')
    writeFileSync(fifo, '') // lets the thread go
    await until('its row is free', () => workerRows(table()).length === 0)
    rmSync(folder, { recursive: true })
  })

  test('KT-4: when its signal is aborted, before or while the module loads', async () => {
    const aborted = await failureOf(functionOf('() => {}'), { signal: AbortSignal.abort('why') })
    assert.deepEqual(
      [aborted.name, aborted.code, aborted.cause],
      ['AbortError', 'ABORT_ERR', 'why'],
    )
    const begun = Date.now()
    const late = await whileLoading(() =>
      failureOf(moduleOf(`${beginning}; for (;;);`), { signal: AbortSignal.timeout(50) }),
    )
    assert.deepEqual([late.code, causeOf(late)?.name], ['ABORT_ERR', 'TimeoutError'])
    assert.ok(Date.now() - begun < 5000, 'it does not hang')
  })

  test('KT-4: when its signal is aborted while the answer of its thread is on the way', async () => {
    for (let round = 0; round < 5; round++) {
      const abort = new AbortController()
      const creation = failureOf(functionOf('() => {}'), { signal: abort.signal })
      // A thread boots in some 30 ms; what it says meanwhile is not heard before the abort.
      const arrived = performance.now() + 150
      while (performance.now() < arrived);
      abort.abort()
      assert.equal((await creation).code, 'ABORT_ERR')
    }
  })

  test('when the module has no function', async () => {
    const error = await failureOf(moduleOf('export const a = 1, b = 2'))
    assert.equal(error.code, 'ERR_NO_HANDLER')
    assert.match(error.message, /exports: a, b/)
  })

  test('when the module calls process.exit', async () => {
    const error = await failureOf(moduleOf('process.exit(7)'))
    assert.deepEqual([error.code, error.exitCode], ['ERR_WORKER_EXITED', 7])
  })

  test('when the heap is full while it loads', async () => {
    const error = await failureOf(moduleOf(`${fill}; export default () => {}`), heap)
    assert.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
  })

  test('when an error reaches the top while it loads', async () => {
    const error = await failureOf(
      moduleOf(
        `setTimeout(() => { throw new TypeError('top') }, 5); await new Promise(() => {}); export default 1`,
      ),
    )
    assert.deepEqual(
      [error.code, causeOf(error)?.name, causeOf(error)?.message],
      ['ERR_WORKER_DIED', 'TypeError', 'top'],
    )
  })

  test('when the data cannot be cloned', async () => {
    const error = await failureOf(functionOf('() => {}'), { data: { f: () => {} } })
    assert.deepEqual([error.code, causeOf(error)?.name], ['ERR_NOT_CLONEABLE', 'DataCloneError'])
  })

  test('when the data holds a port that is not in the transfer list, or the list no object to move', async (t) => {
    const { port1 } = new MessageChannel()
    t.after(() => port1.close())
    for (const options of [{ data: { port1 } }, { transfer: [5 as never] }]) {
      const error = await failureOf(functionOf('() => {}'), options)
      assert.equal(error.code, 'ERR_NOT_CLONEABLE')
    }
  })

  test('when reading the data throws, whatever is thrown', async () => {
    const coded = Object.assign(new Error('getter'), { code: 'ERR_OF_THEIRS' })
    for (const thrown of [new RangeError('getter'), coded, null]) {
      const data = {
        get value(): never {
          // oxlint-disable-next-line typescript/only-throw-error
          throw thrown
        },
      }
      const error = await failureOf(functionOf('() => {}'), { data })
      assert.equal(error.code, 'ERR_NOT_CLONEABLE')
    }
  })

  test('when the module throws what refuses to be looked at', async () => {
    const trap = 'new Proxy(new Error("x"), { getPrototypeOf() { throw 1 }, get() { throw 2 } })'
    const error = await failureOf(moduleOf(`throw ${trap}`))
    assert.equal(error.code, 'ERR_MODULE_LOAD')
  })

  test('when the path has escapes that stand for no text, which is no trouble of its own', async () => {
    const error = await failureOf('file:///nowhere/50%ZZ.js')
    assert.equal(error.code, 'ERR_MODULE_LOAD')
  })

  test('when an argument is wrong: a TypeError that says what would be right', async () => {
    const wrong: [unknown, unknown, RegExp][] = [
      ['./relative.js', {}, /new URL\('\.\/worker\.js', import\.meta\.url\).*'\.\/relative\.js'/],
      [7, {}, /URL or an absolute path/],
      ['/x.js', null, /options must be an object/],
      ['/x.js', { nmae: 'x' }, /no option 'nmae'.*name, owner, data/],
      ['/x.js', { name: '' }, /name must be a string that is not empty/],
      ['/x.js', { nice: 20 }, /nice must be a whole number from -20 to 19, not 20/],
      ['/x.js', { loadDeadlineMs: -1 }, /loadDeadlineMs must be a number of milliseconds/],
      ['/x.js', { transfer: 3 }, /transfer must be an array/],
      ['/x.js', { env: 3 }, /env must be an object, not 3/],
      ['/x.js', { argv: 5 }, /argv must be an array of strings, not 5/],
      ['/x.js', { argv: 'abc' }, /argv must be an array of strings, not 'abc'/],
      ['/x.js', { execArgv: [5] }, /execArgv must be an array of strings/],
      ['/x.js', { resourceLimits: 5 }, /options must be an object, not 5/],
      ['/x.js', { resourceLimits: { nope: 1 } }, /no option 'nope'.*maxOldGenerationSizeMb/],
      ['/x.js', { resourceLimits: { stackSizeMb: -5 } }, /stackSizeMb must be a number from 0/],
      ['/x.js', { execArgv: ['--no-such-flag'] }, /Node refused the options/],
    ]
    for (const [module, options, message] of wrong) {
      const error = await failureOf(module as string, options as UserWorkerOptions)
      assert.ok(error instanceof TypeError)
      assert.deepEqual([error.code, message.test(error.message)], ['EINVAL', true], error.message)
    }
  })
})
