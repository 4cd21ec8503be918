import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { keepAlive } from '../os/clock.js'
import { until } from '../os/own-thread.fixture.js'
import { Kind } from '../ring/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import type { Account } from './account.js'
import { failureOf, marked, word } from './contract/support.fixture.js'
import { Deadlines } from './deadlines.js'
import type { QueuedWork } from './work.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

/** Deadlines of their own, with one work that runs, and when its thread is ended by force. */
function alone(): { deadlines: Deadlines; work: QueuedWork; killed: Promise<number> } {
  const work = { slot: 0 } as QueuedWork
  let kill = (): void => {}
  const killed = new Promise<number>((resolve) => {
    kill = () => resolve(performance.now())
  })
  const lane = { kindOf: () => Kind.CLAIMED }
  const account = { lane, serverOf: () => ({ kill }) } as unknown as Account
  const deadlines = new Deadlines({ accountOf: () => account, expired: () => {} })
  return { deadlines, work, killed }
}

describe('while nothing of a queue runs', () => {
  test('its deadlines stand still, and what became due waits until things run again (SG-10)', async () => {
    const { deadlines, work, killed } = alone()
    const begun = performance.now()
    deadlines.pause()
    deadlines.pause()
    deadlines.killLater(work, 100, new Error('late'))
    let isKilled = false
    void killed.then(() => (isKilled = true))
    await until('twice as long has passed', () => performance.now() > begun + 200)
    assert.equal(isKilled, false)
    const resumed = performance.now()
    deadlines.resume()
    deadlines.resume()
    const alive = keepAlive()
    const at = await killed
    alive.cancel()
    assert.ok(at - resumed >= 95, `${at - resumed} ms after they ran again`)
  })

  test('a pause within a deadline makes it later by as much', async () => {
    const { deadlines, work, killed } = alone()
    const begun = performance.now()
    deadlines.killLater(work, 100, new Error('late'))
    deadlines.pause()
    await until('a while has passed', () => performance.now() > begun + 60)
    deadlines.resume()
    const alive = keepAlive()
    const at = await killed
    alive.cancel()
    assert.ok(at - begun >= 155, `${at - begun} ms`)
  })

  test('a deadline that runs out in a pause is later by what it has missed, not by all of the pause', async () => {
    const { deadlines, work, killed } = alone()
    deadlines.killLater(work, 100, new Error('late'))
    deadlines.pause()
    const begun = performance.now()
    await until('a long pause has passed', () => performance.now() > begun + 3000)
    const resumed = performance.now()
    deadlines.resume()
    const alive = keepAlive()
    const at = await killed
    alive.cancel()
    assert.ok(at - resumed < 2500, `${at - resumed} ms after things ran again`)
  })

  test('a work that begins after a pause has all of its timeoutMs, and no more', async () => {
    await using queue = make({ maxWorkers: 1 })
    await queue.run('nothing')
    await queue.freeze()
    const begun = word()
    const failure = failureOf(queue.run('untilAborted', [begun], { timeoutMs: 100 }))
    const frozen = performance.now()
    await until('a long pause has passed', () => performance.now() > frozen + 3000)
    const thawed = performance.now()
    queue.thaw()
    assert.equal((await failure).code, 'ETIME')
    const ranMs = performance.now() - thawed
    assert.ok(ranMs >= 95 && ranMs < 2500, `${ranMs} ms`)
  })
})

describe("a work's timeoutMs", () => {
  test('rejects with ETIME, naming the work, and its handler is told so', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const thread = await queue.run('thread')
    const work = queue.enqueue('checkingCode', [begun], { timeoutMs: 30 })
    const error = await failureOf(work.result)
    assert.equal(error.code, 'ETIME')
    assert.match(error.message, /'checkingCode' has run for 30 ms, its timeoutMs/)
    assert.equal(work.state, 'failed')
    assert.equal(await queue.run('thread'), thread, 'the loop ended at its checkpoint')
  })

  test('leaves the thread of a handler that minds its signal alone', async () => {
    await using queue = make({ maxWorkers: 1 })
    const thread = await queue.run('thread')
    for (let round = 0; round < 3; round++) {
      const error = await failureOf(queue.run('untilAborted', [word()], { timeoutMs: 10 }))
      assert.equal(error.code, 'ETIME')
    }
    assert.equal(await queue.run('thread'), thread)
  })

  test('ends the thread of one that never ends, a second later or after killAfterMs', async () => {
    await using queue = make({ maxWorkers: 1 })
    for (const options of [{}, { killAfterMs: 5 }]) {
      const begun = word()
      const work = queue.enqueue('spin', [begun], { timeoutMs: 20, ...options })
      await marked(begun)
      const before = queue.workers()[0]?.osThreadId
      assert.equal((await failureOf(work.result)).code, 'ETIME')
      assert.equal(await queue.run('add', [1, 2]), 3)
      assert.notEqual(queue.workers()[0]?.osThreadId, before)
    }
  })

  test('WQ-79: counts from the call of the handler: waiting for a worker or a key is no running', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    const blocker = queue.enqueue('waitFor', [gate])
    await until('it runs', () => blocker.state === 'running')
    const works = [
      queue.enqueue('add', [1, 2], { timeoutMs: 200 }),
      queue.enqueue('add', [1, 2], { timeoutMs: 200, key: 'k' }),
      queue.enqueue('add', [1, 2], { timeoutMs: 200, key: 'k' }),
      queue.enqueue('add', [1, 2], { timeoutMs: 200, after: blocker }),
    ]
    // Longer than all four may run, and none of them does.
    const end = Date.now() + 500
    await until('time has passed', () => Date.now() > end)
    assert.ok(works.every(({ state }) => state === 'pending'))
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await Promise.all(works.map(({ result }) => result)), [3, 3, 3, 3])
  })

  test('WQ-79: is not held against a work that ended in time while its owner was busy', async () => {
    await using queue = make({ maxWorkers: 1 })
    await queue.run('nothing')
    const works = [
      queue.run('add', [1, 2], { timeoutMs: 100 }),
      queue.run('echo', [{ big: 'x'.repeat(10_000) }], { timeoutMs: 100 }),
    ]
    const end = performance.now() + 400
    while (performance.now() < end);
    assert.deepEqual(await Promise.all(works), [3, { big: 'x'.repeat(10_000) }])
  })

  test('fails what was to follow the work, and disturbs no work beside it that ends', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: 2 })
    const [begun, gate] = [word(), word()]
    const beside = queue.enqueue('waitFor', [gate])
    const work = queue.enqueue('untilAborted', [begun], { timeoutMs: 20 })
    const dependent = queue.enqueue('nothing', [], { after: work })
    assert.equal((await failureOf(work.result)).code, 'ETIME')
    assert.equal((await failureOf(dependent.result)).code, 'ECANCELED')
    Atomics.store(gate, 0, 5)
    assert.equal(await beside.result, 5)
  })

  test('WQ-79: 500 works with a time-out that end in time leave no timer behind', async () => {
    await using queue = make({ maxWorkers: 2 })
    const works = Array.from({ length: 500 }, () =>
      queue.run('add', [1, 2], { timeoutMs: 2 ** 31 - 1 }),
    )
    await Promise.all(works)
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')
    assert.ok(timers.length < 50, String(timers.length))
  })
})
