import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { Worker } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram, type End } from '../worker/program.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
const handlers = JSON.stringify(new URL('./works.fixture.js', import.meta.url).href)

/** A program with a queue, in a process of its own. */
const run = (body: string): Promise<End> =>
  runProgram(`
    const { WorkQueue } = await import(${index})
    const make = (options) => new WorkQueue(new URL(${handlers}), options)
    const word = () => new Int32Array(new SharedArrayBuffer(4))
    ${body}`)

/** A thread with a queue of its own, in this process. @returns its exit code, when it has ended */
function runInThread(body: string): Promise<number> {
  const text = `(async () => {
      const { WorkQueue } = await import(${index})
      const make = (options) => new WorkQueue(new URL(${handlers}), options)
      const word = () => new Int32Array(new SharedArrayBuffer(4))
      ${body}
    })()`
  const thread = new Worker(text, { eval: true })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', resolve)
  })
}

const isGone = (name: string): boolean => !threadsOf().some((one) => one.name.startsWith(name))

describe('a thread that used a queue', () => {
  test('WQ-53, BUG-IOWQ-18: ends without waiting for the idle time-out of its workers', async () => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const begun = performance.now()
      assert.equal(await runInThread(`await make({ maxWorkers: 1 }).run('nothing')`), 0)
      times.push(performance.now() - begun)
    }
    // Two threads made, a work, two joined; the time-out is 5,000 ms.
    assert.ok(Math.min(...times) < 2500, times.join())
  })

  test('WQ-56: takes its workers along, idle ones and busy ones, however it ends', async () => {
    const ends = [
      `await make({ name: 'wq56' }).run('nothing'); process.exit(3)`,
      `const begun = word()
       make({ name: 'wq56' }).run('spin', [begun]).catch(() => {})
       while (Atomics.load(begun, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
       process.exit(3)`,
      `make({ name: 'wq56', concurrency: 5 }).enqueue('deaf', [word()]).result.catch(() => {})
       setTimeout(() => process.exit(3), 100)`,
    ]
    for (const body of ends) {
      assert.equal(await runInThread(body), 3)
      await until('its workers are gone', () => isGone('uw:wq56'))
    }
  })

  test('WQ-58: has the results of what it submitted, though it has nothing else to stay for', async () => {
    const word = new Int32Array(new SharedArrayBuffer(4))
    const text = `import(${index}).then(async ({ WorkQueue }) => {
        const queue = new WorkQueue(new URL(${handlers}), { maxWorkers: 2 })
        const { workerData } = require('node:worker_threads')
        for (let count = 0; count < 20; count++) void queue.run('count', [workerData])
      })`
    for (let round = 0; round < 3; round++) {
      const thread = new Worker(text, { eval: true, workerData: word })
      await new Promise((resolve) => thread.once('exit', resolve))
    }
    assert.equal(word[0], 60)
  })
})

describe('a process with works in flight', () => {
  test('WQ-58, BUG-IOWQ-20: ends at once, whatever they do, by process.exit or by a crash', async () => {
    const works = `
      const queue = make({ maxWorkers: 2, concurrency: { unbounded: 4 } })
      const begun = word()
      queue.run('spin', [begun]).catch(() => {})
      for (let count = 0; count < 500; count++) {
        queue.run('sleep', [1e6], { unbounded: count % 2 === 0, key: count % 7 }).catch(() => {})
      }
      while (Atomics.load(begun, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))`
    const exited = await run(`${works}; process.exit(7)`)
    assert.deepEqual([exited.code, exited.err], [7, ''])
    const threw = await run(`${works}; throw new RangeError('a crash')`)
    assert.equal(threw.code, 1)
    assert.match(threw.err, /a crash/)
    const killed = await run(`${works}; process.kill(process.pid, 'SIGKILL')`)
    assert.equal(killed.code, null)
    const aborted = await run(`${works}; process.kill(process.pid, 'SIGSEGV')`)
    assert.equal(aborted.code, null)
  })

  test('WQ-58: that was left without any clean-up by several threads does not hang', async () => {
    const thread = `
      import(${index}).then(({ WorkQueue }) => {
        const queue = new WorkQueue(new URL(${handlers}), { maxWorkers: 1 })
        for (let count = 0; count < 50; count++) queue.run('sleep', [1e6]).catch(() => {})
        import('node:worker_threads').then(({ parentPort }) => parentPort.postMessage(1))
      })`
    const { code, err } = await run(`
      const { Worker } = await import('node:worker_threads')
      const threads = Array.from({ length: 4 }, () => new Worker(${JSON.stringify(thread)}, { eval: true }))
      await Promise.all(threads.map((one) => new Promise((resolve) => one.once('message', resolve))))
      process.exit(5)`)
    assert.deepEqual([code, err], [5, ''])
  })

  test('what onProgress throws is its own matter, and settles and loses no work', async () => {
    const { code, out } = await run(`
      process.on('uncaughtException', (error) => console.log(error.message))
      const queue = make({ maxWorkers: 1 })
      const onProgress = () => { throw new Error('mine') }
      const works = [queue.run('progress', [2], { onProgress }), queue.run('echo', [{ a: 1n }])]
      console.log(JSON.stringify((await Promise.all(works)).length))
      await queue.close()`)
    assert.deepEqual([code, out.split('\n').sort().join()], [0, ',2,mine,mine'])
  })
})
