import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const states = (works: readonly Work[]): string[] => works.map(({ state }) => state)

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const no = Symbol('no')
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(no)])) !== no
}

describe('flush', () => {
  test('waits for every work there is, however it ends, and for no later one', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [gate, later] = [word(), word()]
    await queue.flush()
    const head = queue.enqueue('waitFor', [gate])
    const works: Work[] = [
      head,
      queue.enqueue('fail', ['text'], { after: head }),
      queue.enqueue('exit', [1], { key: 'k' }),
      queue.enqueue('nothing', [], { key: 'k' }),
      queue.enqueue('nothing', [], { unbounded: true }),
    ]
    for (const { result } of works) result.catch(() => {})
    const flushed = queue.flush()
    const after = queue.enqueue('waitFor', [later], { unbounded: true })
    assert.equal(await isSettled(flushed), false)
    Atomics.store(gate, 0, 1)
    await flushed
    assert.deepEqual(states(works), ['done', 'failed', 'failed', 'done', 'done'])
    assert.equal(after.state === 'done', false)
    Atomics.store(later, 0, 1)
    await after.result
  })

  test('of a key waits for the works of that key alone', async () => {
    await using queue = make({ maxWorkers: 2 })
    const gate = word()
    const held = queue.enqueue('waitFor', [gate], { key: 'held' })
    const works = Array.from({ length: 20 }, () => queue.enqueue('nothing', [], { key: 'k' }))
    await queue.flush({ key: 'k' })
    assert.deepEqual(new Set(states(works)), new Set(['done']))
    await queue.flush({ key: 'nobody' })
    const flushed = queue.flush({ key: 'held' })
    assert.equal(await isSettled(flushed), false)
    Atomics.store(gate, 0, 1)
    await flushed
    assert.equal(held.state, 'done')
    await assert.rejects(queue.flush({ kee: 1 } as never), { code: 'EINVAL' })
  })

  test('WQ-46: after a cancel is a synchronous cancel: each of its works has then ended', async () => {
    await using queue = make({ maxWorkers: 4 })
    for (const count of [1, 4]) {
      const begun = Array.from({ length: count }, () => word())
      const works = begun.map((mark) => queue.enqueue('untilAborted', [mark], { key: mark }))
      const pending = begun.map((key) => queue.enqueue('nothing', [], { key }))
      await Promise.all(begun.map(marked))
      const mine = new Set<Work>([...works, ...pending])
      const report = queue.cancel((work) => mine.has(work), { all: true })
      assert.deepEqual(report, { outcome: 'running', canceled: count, running: count })
      await queue.flush()
      assert.deepEqual(new Set(states(works)), new Set(['done']))
      assert.deepEqual(new Set(states(pending)), new Set(['canceled']))
    }
  })

  test('WQ-46: a work that does not end keeps it waiting, and its own time-out gives ETIME', async () => {
    await using queue = make({ maxWorkers: 1 })
    const work = queue.enqueue('deaf', [word()], { timeoutMs: 20, killAfterMs: 5 })
    const flushed = queue.flush()
    assert.equal((await failureOf(work.result)).code, 'ETIME')
    await flushed
  })
})

describe('queueLimit', () => {
  test('rejects what is above it with EAGAIN, and drain tells when there is room', async () => {
    await using queue = make({ maxWorkers: 1, queueLimit: 3 })
    await queue.drain()
    const gate = word()
    const works = [0, 1, 2].map(() => queue.enqueue('waitFor', [gate]))
    const error = await failureOf(queue.run('nothing'))
    assert.equal(error.code, 'EAGAIN')
    assert.match(error.message, /is full: 3 works are unsettled. Await queue.drain\(\)/)
    const drained = [queue.drain(), queue.drain()]
    assert.equal(await isSettled(drained[0] as Promise<void>), false)
    Atomics.store(gate, 0, 1)
    await Promise.all(drained)
    assert.equal(await queue.run('add', [1, 2]), 3)
    await Promise.all(works.map(({ result }) => result))
  })

  test('holds, whatever a producer does that awaits drain before each work', async () => {
    await using queue = make({ maxWorkers: 2, queueLimit: 10 })
    const counter = word()
    const works: Promise<number>[] = []
    for (let index = 0; index < 500; index++) {
      await queue.drain()
      works.push(queue.run('count', [counter]))
      assert.ok(queue.stats().unsettled <= 10)
    }
    await Promise.all(works)
    assert.equal(counter[0], 500)
  })

  test("with onFull: 'cancel-oldest' cancels the oldest pending work instead, and never one that runs", async () => {
    await using queue = make({ maxWorkers: 1, queueLimit: 3, onFull: 'cancel-oldest' })
    const [gate, counter] = [word(), word()]
    const blocker = queue.enqueue('waitFor', [gate])
    await until('it runs', () => blocker.state === 'running')
    const works = Array.from({ length: 6 }, (_, index) =>
      queue.enqueue('count', [counter], index % 2 === 0 ? { key: 'k' } : {}),
    )
    assert.deepEqual(
      states(works.slice(0, 4)),
      Array.from({ length: 4 }, () => 'canceled'),
    )
    assert.deepEqual(states(works.slice(4)), ['pending', 'pending'])
    Atomics.store(gate, 0, 1)
    await Promise.all([blocker.result, works[4]?.result, works[5]?.result])
    assert.equal(counter[0], 2)
  })

  test("with onFull: 'cancel-oldest' refuses with EAGAIN where all that is there runs", async () => {
    await using queue = make({ maxWorkers: 1, queueLimit: 1, onFull: 'cancel-oldest' })
    const gate = word()
    const blocker = queue.enqueue('waitFor', [gate])
    await until('it runs', () => blocker.state === 'running')
    assert.equal((await failureOf(queue.run('nothing'))).code, 'EAGAIN')
    Atomics.store(gate, 0, 1)
    assert.equal(await blocker.result, 1)
  })
})

describe('stats', () => {
  test('add up at every moment, whatever becomes of the works', async () => {
    await using queue = make({ maxWorkers: 2, queueLimit: 300 })
    const check = (): void => {
      const { submitted, done, failed, canceled, unsettled } = queue.stats()
      assert.equal(submitted, done + failed + canceled + unsettled)
    }
    const works: Work[] = []
    for (let index = 0; index < 400; index++) {
      const key = index % 3 === 0 ? { key: index % 5 } : {}
      const name = index % 50 === 7 ? 'exit' : index % 10 === 3 ? 'fail' : 'nothing'
      const after = index % 20 === 9 ? { after: works.slice(-2) } : {}
      works.push((queue as WorkQueue).enqueue(name, ['text'], { ...key, ...after }))
      if (index % 40 === 39) works[index - 20]?.cancel()
      if (index === 200) works.push((queue as WorkQueue).enqueue('nothing', [() => {}]))
      check()
    }
    await Promise.allSettled(works.map(({ result }) => result.finally(check)))
    const { submitted, unsettled, wait, run } = queue.stats()
    assert.deepEqual([submitted, unsettled], [401, 0])
    const ran = works.filter(({ state }) => state === 'done').length
    assert.ok(wait.count >= ran && run.count >= ran && run.count <= submitted)
  })
})
