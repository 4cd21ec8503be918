import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { WorkQueue } from '../../index.js'
import { type Make, type Coded, word, failureOf, marked, moduleOf } from './support.fixture.js'

/** What the contract says about cancelling. */
export function cancelContract(make: Make): void {
  test('WQ-41: a pending work that is cancelled never runs and rejects with ECANCELED', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, counter] = [word(), word()]
    const first = queue.enqueue('waitFor', [gate])
    const pending = [undefined, 'k', 'k'].map((key) =>
      queue.enqueue('count', [counter], key === undefined ? {} : { key }),
    )
    assert.deepEqual(
      pending.map((work) => work.cancel()),
      ['canceled', 'canceled', 'canceled'],
    )
    assert.deepEqual(
      pending.map(({ state }) => state),
      ['canceled', 'canceled', 'canceled'],
    )
    for (const { result } of pending) assert.equal((await failureOf(result)).code, 'ECANCELED')
    Atomics.store(gate, 0, 1)
    await first.result
    assert.equal(counter[0], 0)
    assert.equal(await queue.run('count', [counter], { key: 'k' }), 1)
  })

  test('WQ-42: a running work has its signal aborted, and ends as it will', async () => {
    await using queue = make()
    const begun = word()
    const work = queue.enqueue('untilAborted', [begun])
    await marked(begun)
    assert.equal(work.cancel(), 'running')
    assert.equal(work.cancel(), 'running')
    assert.equal(await work.result, 'ECANCELED', 'the reason, as the handler saw and returned it')
    assert.equal(work.state, 'done')
  })

  test('WQ-43: the outcome is not-found for a settled work, and running wins over canceled', async () => {
    await using queue = make({ maxWorkers: 1 })
    const done = queue.enqueue('nothing')
    await done.result
    assert.equal(done.cancel(), 'not-found')
    assert.deepEqual(queue.cancel(done), { outcome: 'not-found', canceled: 0, running: 0 })
    const begun = word()
    const running = queue.enqueue('untilAborted', [begun])
    await marked(begun)
    for (let count = 0; count < 3; count++) queue.enqueue('nothing')
    assert.deepEqual(
      queue.cancel(() => true, { all: true }),
      { outcome: 'running', canceled: 3, running: 1 },
    )
    await running.result
  })

  test('WQ-40: cancel by match takes the first hit, or all of them, and spares the others (WQ-47)', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    const blocker = queue.run('waitFor', [gate])
    await sleep(0)
    const works = Array.from({ length: 9 }, (_, index) =>
      queue.enqueue('echo', [index], { key: index % 3 }),
    )
    const one = queue.cancel((work) => work.key === 0)
    const all = queue.cancel((work) => work.key === 1, { all: true })
    assert.deepEqual([one.canceled, all.canceled], [1, 3])
    Atomics.store(gate, 0, 1)
    await blocker
    const ends = await Promise.allSettled(works.map(({ result }) => result))
    assert.deepEqual(
      ends.map(({ status }) => status[0]),
      ['r', 'r', 'f', 'f', 'r', 'f', 'f', 'r', 'f'],
    )
  })

  test('WQ-48: of 500 works raced by a cancel each was run or cancelled, never both or neither', async () => {
    await using queue = make({ maxWorkers: 2 })
    await queue.run('nothing')
    for (let round = 0; round < 500; round++) {
      const counter = word()
      const work = queue.enqueue('count', [counter], round % 2 ? { key: 'k' } : {})
      if (round % 3 === 1) await sleep(0)
      if (round % 3 === 2) await queue.run('nothing')
      const outcome = work.cancel()
      const settled = await work.result.then(
        () => 'ran',
        (error: Coded) => error.code,
      )
      assert.equal(settled, outcome === 'canceled' ? 'ECANCELED' : 'ran')
      assert.equal(counter[0], outcome === 'canceled' ? 0 : 1)
    }
  })

  test('a cancelled work whose result nobody looks at is no unhandled rejection', async () => {
    await using queue = make({ maxWorkers: 1 })
    queue.enqueue('sleep', [5])
    assert.equal(queue.enqueue('nothing').cancel(), 'canceled')
    await sleep(10)
  })

  test('cancelling works of one key starts none of them, whatever their classes', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const counter = word()
    await Promise.all([queue.run('nothing'), queue.run('nothing', [], { unbounded: true })])
    const gate = word()
    const blocker = queue.run('waitFor', [gate])
    const works = Array.from({ length: 6 }, (_, index) =>
      queue.enqueue('count', [counter], { key: 'k', unbounded: index % 2 === 1 }),
    )
    const report = queue.cancel((work) => work.key === 'k', { all: true })
    assert.deepEqual(report, { outcome: 'canceled', canceled: 6, running: 0 })
    await Promise.allSettled(works.map(({ result }) => result))
    Atomics.store(gate, 0, 1)
    await blocker
    assert.equal(counter[0], 0)
  })

  test('a match sees pending works in order of submission', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    const blocker = queue.enqueue('waitFor', [gate])
    while (blocker.state !== 'running') await sleep(1)
    const keys = [undefined, 'a', 'a', undefined, 'b', 'a']
    const works = keys.map((key) => queue.enqueue('nothing', [], key === undefined ? {} : { key }))
    const seen: number[] = []
    queue.cancel((work) => seen.push(work.id) === 0, { all: true })
    assert.deepEqual(seen, [...works.map(({ id }) => id), blocker.id])
    Atomics.store(gate, 0, 1)
    await Promise.all(works.map(({ result }) => result))
  })

  test('a cancelled run whose promise nobody looks at is no unhandled rejection either', async () => {
    const queue = make({ maxWorkers: 1 })
    void queue.run('sleep', [5])
    void queue.run('nothing')
    void queue.run('nothing', [], { unbounded: true })
    queue.cancel((work) => work.name === 'nothing')
    await queue.close()
    void queue.run('nothing')
    await sleep(5)
  })

  test('what to cancel must be a handle or a function', async () => {
    await using queue = make()
    const loose = queue as unknown as { cancel(...args: unknown[]): unknown }
    for (const args of [
      [],
      [5],
      [{}],
      [() => true, 5],
      [() => true, { al: true }],
      [() => true, { all: 1 }],
    ]) {
      assert.throws(() => loose.cancel(...args), { code: 'EINVAL' })
    }
  })

  test('a work that was cancelled before its thread began it never runs on another', async () => {
    // The thread answers within a few microtasks, stands in a later one, and so hears no other message.
    const text = `export const last = (go) => void (async () => {
        for (let microtask = 0; microtask < 1000; microtask++) await null
        Atomics.wait(go, 0, 0)
        process.exit(3)
      })()
      export const count = (counter) => Atomics.add(counter, 0, 1)`
    await using queue = make({ maxWorkers: 1 }, moduleOf(text))
    const [go, counter] = [word(), word()]
    const loose = queue as unknown as WorkQueue
    await loose.run('last', [go])
    const work = loose.enqueue('count', [counter])
    const outcome = work.cancel()
    Atomics.store(go, 0, 1)
    Atomics.notify(go, 0)
    const end = await work.result.catch((error: Coded) => error.code)
    // Where works are sent to a thread ahead of time it is told. Where they are taken, it is taken back;
    // or the thread was quicker, and has run it, or has ended with it.
    const seen = [outcome, end, work.state, counter[0]]
    const allowed = [
      [outcome, 'ECANCELED', 'canceled', 0],
      ['running', 0, 'done', 1],
      ['running', 'ERR_WORKER_EXITED', 'failed', 0],
    ]
    assert.ok(
      allowed.some((each) => isDeepStrictEqual(each, seen)),
      inspect(seen),
    )
  })
}
