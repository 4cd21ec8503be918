import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { withAllWorkers, word } from './contract/support.fixture.js'
import { make, open, reaches, type Queue } from './gated-queue.fixture.js'

checkForLeaks()

const counts = (queue: Queue): number[] =>
  ['bounded', 'unbounded'].map(
    (kind) => queue.workers().filter((worker) => worker.class === kind).length,
  )

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('a worker that was idle for long', () => {
  test('INV-IOWQ-13: leaves, but for the last of its class', async () => {
    await using queue = make({
      maxWorkers: { bounded: 3, unbounded: 3 },
      concurrency: { unbounded: 1 },
      idleTimeoutMs: 30,
    })
    await withAllWorkers(queue, { bounded: 3, unbounded: 3 })
    await until('the others have left', () => counts(queue).join() === '1,1')
    const stayed = queue.workers().map(({ name }) => name)
    await pause(300)
    assert.deepEqual(
      queue.workers().map(({ name }) => name),
      stayed,
    )
    await queue.run('nothing')
    await queue.run('nothing', [], { unbounded: true })
    assert.deepEqual(
      queue.workers().map(({ name }) => name),
      stayed,
    )
  })

  test('INV-IOWQ-13: stays while it is one of minWorkers, or for Infinity', async () => {
    await using few = make({ maxWorkers: 4, minWorkers: 2, idleTimeoutMs: 20 })
    await using all = make({ maxWorkers: 3, idleTimeoutMs: Infinity })
    await withAllWorkers(few, { bounded: 4 })
    await withAllWorkers(all, { bounded: 3 })
    await until('two have left', () => few.workers().length === 2)
    await pause(200)
    assert.deepEqual([few.workers().length, all.workers().length], [2, 3])
  })

  test('WQ-6: is one that has no work: who waits, holds its thread or awaits is not', async () => {
    await using queue = make({ maxWorkers: 4, idleTimeoutMs: 20 })
    const [begun, gate] = [word(), word()]
    const works = [
      queue.run('held', [begun, gate]),
      queue.run('awaited', [begun, gate]),
      queue.run('blocked', [begun, gate]),
    ]
    await reaches(begun, 3)
    await pause(300)
    assert.equal(queue.workers().length, 3)
    open(gate)
    await Promise.all(works)
    await until('they leave when they are done', () => queue.workers().length === 1)
  })

  test('INV-IOWQ-3: leaves no work behind that comes at this very moment', async () => {
    await using queue = make({ maxWorkers: 3, idleTimeoutMs: 2 })
    const ran = word()
    let least = 3
    for (let round = 1; round <= 15; round++) {
      const begun = word()
      await Promise.all([1, 2, 3].map(() => queue.run('rendezvous', [begun, 3])))
      for (let each = 0; each < 10; each++) {
        await pause(each % 3)
        least = Math.min(least, queue.workers().length)
        await queue.run('count', [ran])
      }
      assert.equal(ran[0], 10 * round)
    }
    assert.ok(least < 3, 'some did leave')
  })
})

describe('idle workers', () => {
  const index = JSON.stringify(new URL('../index.js', import.meta.url).href)

  test('keep no process alive, whatever timers their modules left', async () => {
    const handlers = JSON.stringify(new URL('./gates.fixture.js', import.meta.url).href)
    const program = `
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue(${handlers}, { maxWorkers: 2, idleTimeoutMs: 1e6 })
      const word = new Int32Array(new SharedArrayBuffer(4))
      await Promise.all([1, 2].map(() => queue.run('rendezvous', [word, 2])))
      await queue.run('beat', [word], { unbounded: true })
      process.once('exit', () => console.log(queue.workers().length))`
    const { code, out, err } = await runProgram(program)
    assert.deepEqual([code, out, err], [0, '3\n', ''])
  })
})
