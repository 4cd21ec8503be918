import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker, type UserWorkerOptions } from './index.js'

checkForLeaks()

type Coded = Error & { code?: string; exitCode?: number }

const causeOf = (error: Error | null): Coded | undefined => error?.cause as Coded | undefined

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
