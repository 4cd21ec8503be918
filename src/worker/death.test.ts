import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserWorkerError } from '../errors.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker, type UserWorkerOptions } from './index.js'
import { claimedRows, table } from './table.js'

checkForLeaks()

type Coded = Error & { code?: string; exitCode?: number }

const causeOf = (error: Error | null): Coded | undefined => error?.cause as Coded | undefined

/** What a creation that must fail fails with; and that nothing of it is left. */
async function failureOf(module: URL | string, options: UserWorkerOptions = {}): Promise<Coded> {
  const before = claimedRows(table()).length
  const error = await UserWorker.create(module, options).then(
    () => assert.fail('the creation must fail'),
    (reason: unknown) => reason as Coded,
  )
  assert.equal(claimedRows(table()).length, before, 'INV-UW-5: nothing of it is left')
  return error
}

/** A started worker, the code it ends with, and the error behind it. */
async function endOf(
  text: string,
  options: UserWorkerOptions = {},
): Promise<[number, Coded | null]> {
  const worker = await UserWorker.create(functionOf(text), options)
  await worker.start()
  return [await worker.join(), worker.error]
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
      const error = await failureOf(moduleOf(`${text}; export default () => {}`), {
        loadDeadlineMs: 100,
      })
      assert.equal(error.code, 'ERR_MODULE_LOAD_TIMEOUT')
      assert.ok(Date.now() - begun < 1100)
    }
  })

  test('when the module never finishes loading because its thread stands in a system call', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-fifo-'))
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const begun = Date.now()
    const rejection = UserWorker.create(
      moduleOf(
        `import { readFileSync } from 'node:fs'; readFileSync('${fifo}'); export default () => {}`,
      ),
      { loadDeadlineMs: 100 },
    )
    await assert.rejects(rejection, { code: 'ERR_MODULE_LOAD_TIMEOUT', message: /system call/ })
    assert.ok(Date.now() - begun < 1100)
    writeFileSync(fifo, '') // lets the thread go
    while (claimedRows(table()).length > 0) await sleep(5)
    rmSync(folder, { recursive: true })
  })

  test('KT-4: when its signal is aborted, before or while the module loads', async () => {
    const aborted = await failureOf(functionOf('() => {}'), { signal: AbortSignal.abort('why') })
    assert.deepEqual(
      [aborted.name, aborted.code, aborted.cause],
      ['AbortError', 'ABORT_ERR', 'why'],
    )
    const begun = Date.now()
    const late = await failureOf(moduleOf('for (;;);'), { signal: AbortSignal.timeout(50) })
    assert.deepEqual([late.code, causeOf(late)?.name], ['ABORT_ERR', 'TimeoutError'])
    assert.ok(Date.now() - begun < 1100)
  })

  test('KT-4: when its signal is aborted while the answer of its thread is on the way', async () => {
    for (let round = 0; round < 5; round++) {
      const abort = new AbortController()
      const creation = failureOf(functionOf('() => {}'), { signal: abort.signal })
      // A thread boots in some 30 ms; what it says meanwhile is not heard before the abort.
      const until = performance.now() + 150
      while (performance.now() < until);
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
      ['/x.js', { nmae: 'x' }, /no option 'nmae'.*name, data/],
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

describe('a worker that ends by itself keeps its code and its error', () => {
  test('a throw gives 1 and what was thrown, whole', async () => {
    const [code, error] = await endOf(
      `async () => {
        const error = new RangeError('r', { cause: new Error('c') })
        throw Object.assign(error, { code: 'E_OWN', extra: 3 })
      }`,
    )
    assert.equal(code, 1)
    assert.ok(error instanceof RangeError)
    assert.deepEqual(
      [error.message, (error as Coded).code, causeOf(error)?.message],
      ['r', 'E_OWN', 'c'],
    )
    assert.equal((error as { extra?: number }).extra, 3)
  })

  test('a thrown value that is no error comes wrapped in one', async () => {
    const [code, error] = await endOf('() => { throw "text" }')
    assert.deepEqual([code, error?.cause], [1, 'text'])
  })

  test('a result that is no exit code gives 1 and a TypeError that says so', async () => {
    for (const result of ['"7"', '1.5', 'NaN', '2 ** 31', 'null', '{}']) {
      const [code, error] = await endOf(`() => (${result})`)
      assert.equal(code, 1)
      assert.ok(error instanceof TypeError)
      assert.match(error.message, /must return nothing or its exit code/)
    }
  })

  test('process.exit gives its argument', async () => {
    for (const argument of ['7', '0']) {
      const [code, error] = await endOf(`() => process.exit(${argument})`)
      assert.equal(code, Number(argument))
      assert.deepEqual([error?.code, error?.exitCode], ['ERR_WORKER_EXITED', Number(argument)])
    }
  })

  test('an error outside any promise, and one that nobody caught, give 1 and the cause', async () => {
    for (const text of [
      '() => new Promise(() => { setTimeout(() => { throw new TypeError("t") }, 5) })',
      '() => new Promise(() => { Promise.reject(new TypeError("t")) })',
    ]) {
      const [code, error] = await endOf(text)
      assert.deepEqual(
        [code, error?.code, causeOf(error)?.name, causeOf(error)?.message],
        [1, 'ERR_WORKER_DIED', 'TypeError', 't'],
      )
    }
  })

  test('null thrown at the top of the thread is an error as any other', async () => {
    const [code, error] = await endOf(
      '() => new Promise(() => { setTimeout(() => { throw null }, 5) })',
    )
    assert.deepEqual([code, error?.code], [1, 'ERR_WORKER_DIED'])
  })

  test('an error that was handled before does not hide what the thread died of', async () => {
    const [, error] = await endOf(
      `async (data, self) => {
        process.on('uncaughtException', () => {})
        setTimeout(() => { throw new Error('old') }, 1)
        await self.sleep(30)
        return ${fill}
      }`,
      heap,
    )
    assert.equal(error?.code, 'ERR_WORKER_OUT_OF_MEMORY')
  })

  test('what refuses to be looked at can be thrown, even where the program handles rejections', async () => {
    const trap = 'new Proxy(new Error("x"), { getPrototypeOf() { throw 1 }, get() { throw 2 } })'
    const [code, error] = await endOf(
      `async () => { process.on('unhandledRejection', () => {}); throw ${trap} }`,
    )
    assert.equal(code, 1)
    assert.ok(error instanceof Error)
  })

  test('code that puts something else in the place of process.exit does not hold up the end', async () => {
    const [code] = await endOf('() => { process.exit = () => {}; return 6 }')
    assert.equal(code, 6)
  })

  test('code that removes all listeners of the exit does not lose the argument of process.exit', async () => {
    const [code, error] = await endOf(
      `() => { process.removeAllListeners('exit'); process.exit(7) }`,
    )
    assert.deepEqual([code, error?.code, error?.exitCode], [7, 'ERR_WORKER_EXITED', 7])
  })

  test('INV-KT-2: a final exit code stays, also when a listener of the exit throws', async () => {
    const [code] = await endOf(
      `() => { process.on('exit', () => { throw new Error('late') }); process.exit(6) }`,
    )
    assert.equal(code, 6)
  })

  test('every way to end leads to the state exited', async () => {
    for (const text of ['() => 1', '() => { throw 1 }', `() => ${fill}`, '() => { for (;;); }']) {
      const worker = await UserWorker.create(functionOf(text), heap)
      await worker.start()
      if (text.includes('for (;;);')) worker.kill()
      await worker.join()
      assert.equal(worker.state, 'exited', text)
    }
  })

  test('an error that the program handles itself does not count', async () => {
    const [code, error] = await endOf(
      `async (data, self) => {
        process.on('uncaughtException', () => {})
        setTimeout(() => { throw new Error('handled') }, 5)
        await self.sleep(50)
        return 4
      }`,
    )
    assert.deepEqual([code, error], [4, null])
  })

  test('a full heap gives 1 and ERR_WORKER_OUT_OF_MEMORY', async () => {
    const [code, error] = await endOf(`() => ${fill}`, heap)
    assert.deepEqual(
      [code, error?.code, causeOf(error)?.code],
      [1, 'ERR_WORKER_OUT_OF_MEMORY', 'ERR_WORKER_OUT_OF_MEMORY'],
    )
  })

  test('a thread that somebody else terminates gives -9 and ERR_WORKER_DIED', async (t) => {
    const made: { terminate(): Promise<number> }[] = []
    const listener = (thread: (typeof made)[number]): unknown => made.push(thread)
    process.on('worker', listener as never)
    t.after(() => process.off('worker', listener as never))
    const worker = await UserWorker.create(functionOf('() => { for (;;); }'))
    await worker.start()
    const joined = worker.join()
    await made[0]?.terminate()
    assert.deepEqual([await joined, (worker.error as Coded).code], [-9, 'ERR_WORKER_DIED'])
  })

  test('death at the gate settles start with the cause, and gives EINTR', async () => {
    const worker = await UserWorker.create(
      moduleOf('setTimeout(() => { throw new Error("early") }, 30); export default () => 7'),
    )
    const exit = worker.join()
    await exit
    assert.deepEqual([await exit, worker.entered], [EINTR, false])
    await assert.rejects(worker.start(), { code: 'ERR_WORKER_DIED' })
  })

  test('a death that nobody waits for is not silent: the process warns', async () => {
    const warned = new Promise<Coded>((resolve) => {
      process.once('warning', resolve)
    })
    const worker = await UserWorker.create(functionOf('async () => { throw new Error("lost") }'))
    await worker.start()
    await sleep(100)
    const warning = await warned
    assert.equal(warning.name, 'UserWorkerWarning')
    assert.match(warning.message, /lost/)
    assert.equal(await worker.join(), 1)
  })

  test('output written right before the end is not lost', async () => {
    const script = `
      import { UserWorker } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
      const flood = 'export default () => { for (let i = 0; i < 2000; i++) console.log("line " + i) }'
      const worker = await UserWorker.create('data:text/javascript,' + flood)
      await worker.start()
      await worker.join()`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(out.trim().split('\n').at(-1), 'line 1999')
  })

  test('BUG-KT-1, INV-KT-4: everything can be asked of a worker that is long gone', async () => {
    const worker = await UserWorker.create(functionOf('() => 42'), { name: 'gone' })
    await worker.start()
    await worker.join()
    // Others take its row.
    const others = await Promise.all([1, 2, 3].map(() => UserWorker.create(functionOf('() => 1'))))
    await sleep(10)
    const { name, id, state, entered, exitCode, error } = worker
    assert.ok(id > 0)
    assert.deepEqual([name, state, entered, exitCode, error], ['gone', 'exited', true, 42, null])
    worker.requestStop()
    worker.kill()
    for (const other of others) {
      assert.equal(await other.start(), true, 'and asking it to stop touches nobody else')
      assert.equal(await other.join(), 1)
    }
  })
})
