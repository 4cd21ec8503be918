import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkQueue, type Work, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, meeting, word, type Coded } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

/** A queue's one worker, held until the word is set. */
async function blocked(queue: WorkQueue<typeof Handlers>, gate: Int32Array): Promise<Work> {
  const blocker = queue.enqueue('waitFor', [gate])
  await until('the worker is busy', () => blocker.state === 'running')
  return blocker
}

const codes = async (works: readonly Work[]): Promise<unknown[]> =>
  Promise.all(
    works.map(({ result }) =>
      result.then(
        () => 'done',
        (error: Coded) => error.code,
      ),
    ),
  )

describe('which works a cancel takes', () => {
  test('WQ-43: a work itself, wherever it is, and none of another queue', async () => {
    await using queue = make({ maxWorkers: 1 })
    await using other = make()
    const [gate, begun] = [word(), word()]
    const blocker = await blocked(queue, gate)
    const pending = queue.enqueue('nothing')
    assert.deepEqual(other.cancel(pending), { outcome: 'not-found', canceled: 0, running: 0 })
    assert.deepEqual(queue.cancel(pending), { outcome: 'canceled', canceled: 1, running: 0 })
    const running = queue.enqueue('untilAborted', [begun])
    Atomics.store(gate, 0, 1)
    await marked(begun)
    assert.deepEqual(queue.cancel(running), { outcome: 'running', canceled: 0, running: 1 })
    assert.equal(await running.result, 'ECANCELED')
    assert.deepEqual(await codes([blocker, pending]), ['done', 'ECANCELED'])
  })

  test('WQ-40: the match sees works one after the other, and stops at the first hit unless told to go on', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    const blocker = await blocked(queue, gate)
    const works = [0, 1, 2, 3].map(() => queue.enqueue('nothing'))
    const seen: number[] = []
    const isSecond = (work: Work): boolean => {
      seen.push(work.id)
      return work.id === works[1]?.id
    }
    assert.deepEqual(queue.cancel(isSecond), { outcome: 'canceled', canceled: 1, running: 0 })
    assert.deepEqual(seen.splice(0), [works[0]?.id, works[1]?.id], 'it stopped at the hit')
    const all = queue.cancel((work) => work.id !== works[0]?.id && work !== blocker, { all: true })
    assert.deepEqual(all, { outcome: 'canceled', canceled: 2, running: 0 })
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await codes(works), ['done', 'ECANCELED', 'ECANCELED', 'ECANCELED'])
  })

  test('a match that throws cancels nothing, and the caller gets its error', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    await blocked(queue, gate)
    const works = [0, 1, 2].map(() => queue.enqueue('nothing'))
    const match = (work: Work): boolean => {
      if (work.id === works[1]?.id) throw new RangeError('enough')
      return work.id === works[0]?.id
    }
    assert.throws(() => queue.cancel(match, { all: true }), /enough/)
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await codes(works), ['done', 'done', 'done'])
  })

  test('WQ-41: a pending work is gone at once wherever it waits, and so is what was to follow it', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: { unbounded: 1 } })
    const [gate, counter] = [word(), word()]
    await blocked(queue, gate)
    const ready = queue.enqueue('count', [counter])
    const first = queue.enqueue('count', [counter], { key: 'k' })
    const behind = queue.enqueue('count', [counter], { key: 'k' })
    const other = queue.enqueue('count', [counter], { key: 'k', unbounded: true })
    const message = queue.enqueue('count', [counter], { transfer: [new ArrayBuffer(8)] })
    const heads = [ready, first, behind, other, message]
    const dependents = heads.map((after) => queue.enqueue('count', [counter], { after }))
    assert.equal(queue.stats().unsettled, 11)
    for (const work of heads.toReversed()) assert.equal(work.cancel(), 'canceled')
    for (const work of [...heads, ...dependents]) assert.equal(work.state, 'canceled')
    assert.equal(queue.stats().unsettled, 1, 'the one that runs')
    const ends = await codes([...heads, ...dependents])
    assert.deepEqual(new Set(ends), new Set(['ECANCELED']))
    Atomics.store(gate, 0, 1)
    assert.equal(await queue.run('count', [counter], { key: 'k' }), 1)
  })

  test('WQ-41: of 20,000 works, more than the rings hold, each is found and cancelled', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, counter] = [word(), word()]
    const blocker = await blocked(queue, gate)
    const works = Array.from({ length: 20_000 }, (_, index) =>
      queue.enqueue('count', [counter], index % 3 === 0 ? { key: index % 7 } : {}),
    )
    const { canceled } = queue.cancel((work) => work !== blocker, { all: true })
    assert.equal(canceled, 20_000)
    assert.ok(works.every(({ state }) => state === 'canceled'))
    Atomics.store(gate, 0, 1)
    await blocker.result
    assert.equal(counter[0], 0)
    assert.equal(await queue.run('count', [counter]), 1)
  })
})

describe('what a cancel says', () => {
  test('WQ-43: canceled, running or not-found, by handle and by match alike, and running wins', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const running = queue.enqueue('untilAborted', [begun])
    await marked(begun)
    const pending = queue.enqueue('nothing')
    const none = { outcome: 'not-found', canceled: 0, running: 0 }
    assert.deepEqual(
      queue.cancel(() => false, { all: true }),
      none,
    )
    assert.deepEqual(
      queue.cancel(() => true, { all: true }),
      { outcome: 'running', canceled: 1, running: 1 },
    )
    assert.deepEqual([pending.cancel(), running.cancel()], ['not-found', 'running'])
    await running.result
    assert.equal(running.cancel(), 'not-found')
    assert.deepEqual(queue.cancel(running), none)
  })

  test('WQ-44, BUG-IOWQ-6: at every moment between submission and end a work is found', async () => {
    await using queue = make({ maxWorkers: 2 })
    await queue.run('nothing')
    const counter = word()
    let lost = 0
    for (let round = 0; round < 3000; round++) {
      const work = queue.enqueue('count', [counter], round % 3 === 0 ? { key: 'k' } : {})
      // Up to some microseconds later: before, in and behind its claim.
      for (let spin = 0; spin < (round % 50) * 100; spin++);
      if (queue.cancel((each) => each.id === work.id).outcome === 'not-found') lost++
      await Promise.allSettled([work.result])
    }
    assert.equal(lost, 0)
  })

  test('WQ-45: a work of another queue is not found, and is not touched', async () => {
    await using queue = make({ maxWorkers: 1 })
    await using other = make({ maxWorkers: 1 })
    const gate = word()
    const works = [await blocked(queue, gate), queue.enqueue('nothing')]
    for (const work of works) {
      assert.equal(other.cancel(work).outcome, 'not-found')
      assert.equal(other.cancel(({ id }) => id === work.id).outcome, 'not-found')
    }
    assert.deepEqual(
      works.map(({ state }) => state),
      ['running', 'pending'],
    )
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await codes(works), ['done', 'done'])
  })

  test('WQ-47: of 200 works every second one is cancelled, and the others give their full results', async () => {
    await using queue = make({ maxWorkers: 2 })
    const works = Array.from({ length: 200 }, (_, index) =>
      queue.enqueue('echo', ['x'.repeat(index)], index % 4 < 2 ? { key: index % 8 } : {}),
    )
    const canceled = new Set(
      works.filter((work, index) => index % 2 === 1 && work.cancel() === 'canceled'),
    )
    const ends = await Promise.allSettled(works.map(({ result }) => result))
    for (const [index, end] of ends.entries()) {
      const work = works[index] as Work<string>
      if (canceled.has(work)) assert.equal(end.status, 'rejected')
      else assert.deepEqual(end, { status: 'fulfilled', value: 'x'.repeat(index) })
    }
  })
})

describe('a work that runs and is cancelled', () => {
  test('WQ-42: it is told, and ends as it will: with a value, the reason, or an error of its own', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, other, gate] = [word(), word(), word()]
    const value = queue.enqueue('untilAborted', [begun])
    await marked(begun)
    assert.equal(value.cancel(), 'running')
    assert.equal(await value.result, 'ECANCELED')
    const error = queue.enqueue('checking', [other])
    await marked(other)
    assert.equal(error.cancel(), 'running')
    assert.equal((await failureOf(error.result)).code, 'ECANCELED')
    const deaf = await blocked(queue, gate)
    assert.equal(deaf.cancel(), 'running')
    Atomics.store(gate, 0, 7)
    assert.equal(await deaf.result, 7, 'it did not mind')
    assert.deepEqual([value.state, error.state, deaf.state], ['done', 'failed', 'done'])
  })

  test('WQ-52: a synchronous loop hears of it at its next checkpoint', async () => {
    await using queue = make({ maxWorkers: 1 })
    for (let round = 0; round < 20; round++) {
      const begun = word()
      const work = queue.enqueue('checkingCode', [begun])
      await marked(begun)
      assert.equal(work.cancel(), 'running')
      assert.equal(await work.result, 'ECANCELED')
    }
    assert.equal(queue.workers().length, 1)
    const thread = await queue.run('thread')
    assert.equal(await queue.run('thread'), thread, 'nothing of it is left in the thread')
  })

  test('WQ-42: it may be told again: the first time sets when it is ended by force', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const work = queue.enqueue('markAndSpin', [begun, 0], { killAfterMs: 20 })
    await marked(begun)
    for (let time = 0; time < 3; time++) assert.equal(work.cancel(), 'running')
    assert.equal((await failureOf(work.result)).code, 'ECANCELED')
    await queue.run('nothing')
  })

  test('a checkpoint passes on the reason of an aborted signal', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, controller] = [word(), new AbortController()]
    const work = queue.enqueue('checking', [begun], { signal: controller.signal })
    await marked(begun)
    controller.abort(new RangeError('enough'))
    const error = await failureOf(work.result)
    assert.deepEqual([error.code, (error.cause as Error).message], ['ABORT_ERR', 'enough'])
    await queue.run('nothing')
  })

  test('WQ-44: a work that its worker has claimed and not begun is told before it begins', async () => {
    await using queue = make({ maxWorkers: 1 })
    await queue.run('nothing')
    for (let round = 0; round < 10; round++) {
      // After 16 works of one key that took a while, the worker turns its event loop, with the next in
      // hand; the second such turn takes a while itself, and hears messages before it goes on.
      const chain = Array.from({ length: 31 }, () => queue.enqueue('busy', [0.5], { key: 'k' }))
      void queue.run('busyAndLater', [0.5, 30], { key: 'k' })
      const next = queue.enqueue('told', [], { key: 'k', killAfterMs: 10_000 })
      await chain[29]?.result
      while (next.state === 'pending') await sleep(0)
      assert.equal(next.cancel(), 'running')
      assert.equal(await next.result, true)
    }
  })

  test('WQ-76: a cancel is no signal of the system: no other work of that thread is disturbed', async (t) => {
    await using queue = make({ maxWorkers: 1, concurrency: 3 })
    const signals: string[] = []
    const listener = (name: string): unknown => signals.push(name)
    for (const name of ['SIGINT', 'SIGUSR2', 'SIGTERM'] as const) process.on(name, listener)
    t.after(() => {
      for (const name of ['SIGINT', 'SIGUSR2', 'SIGTERM'] as const) process.off(name, listener)
    })
    const [one, two, gate] = [word(), word(), word()]
    const works = [queue.enqueue('untilAborted', [one]), queue.enqueue('untilAborted', [two])]
    const third = queue.enqueue('waitFor', [gate])
    await Promise.all([marked(one), marked(two)])
    assert.equal(works[0]?.cancel(), 'running')
    assert.equal(await works[0]?.result, 'ECANCELED')
    assert.deepEqual([works[1]?.state, third.state], ['running', 'running'])
    works[1]?.cancel()
    Atomics.store(gate, 0, 3)
    assert.deepEqual([await works[1]?.result, await third.result], ['ECANCELED', 3])
    assert.deepEqual(signals, [])
  })
})

describe('the works of one key around a cancelled one', () => {
  test('BUG-IOWQ-5: keep their order and never overlap, whichever of them was cancelled', async () => {
    await using queue = make({ maxWorkers: 2 })
    for (let round = 0; round < 30; round++) {
      const meet = meeting(20)
      const gate = word()
      const blockers = [queue.run('waitFor', [gate]), queue.run('waitFor', [gate])]
      const before = queue.enqueue('nothing')
      const works = Array.from({ length: 10 }, (_, index) =>
        queue.enqueue('meet', [meet, index + 1, 0], { key: 'k' }),
      )
      const gone = [round % 10, (round * 7) % 10]
      for (const index of gone) works[index]?.cancel()
      const more = Array.from({ length: 5 }, (_, index) =>
        queue.enqueue('meet', [meet, index + 11, 0], { key: 'k' }),
      )
      Atomics.store(gate, 0, 1)
      await Promise.allSettled([...blockers, ...[before, ...works, ...more].map((w) => w.result)])
      const all = Array.from({ length: 15 }, (_, index) => index + 1)
      const expected = all.filter((number) => !gone.includes(number - 1))
      assert.deepEqual(
        Array.from(meet.order).filter((number, at) => at > 0 && number > 0),
        expected,
      )
      assert.equal(meet.most[0], 1)
    }
  })
})
