import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, withAllWorkers, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

/** The system's names of this process's workers that a queue of this name made. */
const threadsNamed = (name: string): string[] =>
  threadsOf()
    .map((thread) => thread.name)
    .filter((thread) => thread.startsWith(`uw:${name}`))

/** The shortest of some times: what it takes when the machine has nothing else to do. */
async function shortest(rounds: number, run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    await run()
    times.push(performance.now() - begun)
  }
  return Math.min(...times)
}

describe('close', () => {
  test('WQ-50: refuses works and makes no worker from its first instant on', async () => {
    const queue = make({ maxWorkers: 4, minWorkers: 2 })
    const gate = word()
    const works = [queue.enqueue('waitFor', [gate]), queue.enqueue('waitFor', [gate])]
    await until('both run', () => works.every(({ state }) => state === 'running'))
    const before = queue.workers().length
    const closed = queue.close()
    const refused = queue.enqueue('nothing')
    assert.equal(refused.state, 'canceled')
    assert.equal((await failureOf(refused.result)).code, 'ECANCELED')
    queue.setMaxWorkers({ bounded: 8 })
    assert.ok(queue.workers().length <= before)
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await closed, { stuck: [] })
    await assert.rejects(queue.ready(), { code: 'ECANCELED' })
    assert.deepEqual(
      works.map(({ state }) => state),
      ['done', 'done'],
    )
  })

  test('names for each worker that is ended by force what it runs itself, whatever its class', async () => {
    const queue = make({ maxWorkers: 1, closeDeadlineMs: 200 })
    const [begun, gate] = [word(), word()]
    const works = [
      queue.run('spin', [begun]),
      queue.run('waitFor', [gate], { unbounded: true }),
    ].map((work) => failureOf(work))
    await marked(begun)
    await until('both run', () => queue.workers().every(({ works: own }) => own === 1))
    const { stuck } = await queue.close()
    assert.deepEqual(new Set(stuck.map(({ work }) => work)), new Set(['spin', 'waitFor']))
    for (const error of await Promise.all(works)) assert.equal(error.code, 'ECANCELED')
  })

  test('WQ-51, BUG-IOWQ-11: ends with the unbounded works that run, not with the 10,000 behind them', async () => {
    const queue = make({ maxWorkers: { bounded: 2, unbounded: 2 }, concurrency: { unbounded: 1 } })
    const [begun, counter] = [word(), word()]
    const running = queue.run('untilAborted', [begun], { unbounded: true })
    await marked(begun)
    const slow = Array.from({ length: 10_000 }, (_, index) =>
      queue.enqueue('sleep', [60_000], { unbounded: true, key: index % 100 }),
    )
    const bounded = Array.from({ length: 100 }, () => queue.run('count', [counter]))
    assert.deepEqual(await queue.close(), { stuck: [] })
    assert.ok(slow.every(({ state }) => state === 'canceled' || state === 'done'))
    assert.equal(slow.filter(({ state }) => state === 'done').length, 0)
    assert.equal(await running, 'ECANCELED')
    await Promise.all(bounded)
    assert.equal(counter[0], 100, 'bounded ones finish')
  })

  test('WQ-52: tells the unbounded works that run; a loop hears it at its checkpoint', async () => {
    const queue = make({ maxWorkers: { bounded: 1, unbounded: 2 }, concurrency: { unbounded: 1 } })
    const [one, two] = [word(), word()]
    const works = [
      queue.run('untilAborted', [one], { unbounded: true }),
      queue.run('checkingCode', [two], { unbounded: true }),
    ]
    await Promise.all([marked(one), marked(two)])
    assert.deepEqual(await queue.close(), { stuck: [] })
    assert.deepEqual(await Promise.all(works), ['ECANCELED', 'ECANCELED'])
  })

  test('WQ-53, BUG-IOWQ-10: wakes the idle workers of both classes at once, all of them', async () => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const queue = make({ maxWorkers: { bounded: 3, unbounded: 3 }, concurrency: 1 })
      const [gate] = [word()]
      const works = Array.from({ length: 6 }, (_, index) =>
        queue.enqueue('waitFor', [gate], { unbounded: index >= 3 }),
      )
      await until('all run', () => works.every(({ state }) => state === 'running'))
      Atomics.store(gate, 0, 1)
      await Promise.all(works.map(({ result }) => result))
      const begun = performance.now()
      assert.deepEqual(await queue.close(), { stuck: [] })
      assert.deepEqual(queue.workers(), [])
      times.push(performance.now() - begun)
    }
    // The idle time-out would be 5,000 ms.
    assert.ok(Math.min(...times) < 2500, `${times.join(', ')} ms`)
  })

  test('WQ-54: leaves no thread, no unsettled work and no callback to come', async () => {
    const queue = make({ name: 'wq54', maxWorkers: 2 })
    const steps: unknown[] = []
    const onProgress = (value: unknown): unknown => steps.push(value)
    const works = Array.from({ length: 50 }, () => queue.run('progress', [3], { onProgress }))
    await queue.close()
    const [heard, { unsettled, workers }] = [steps.length, queue.stats()]
    assert.deepEqual([heard, unsettled, workers], [150, 0, { bounded: 0, unbounded: 0 }])
    await Promise.all(works)
    await until('the system has no thread of it', () => threadsNamed('wq54').length === 0)
    assert.equal(steps.length, heard)
  })

  test('WQ-55, BUG-IOWQ-17: sends idle workers away, and a queue that was never used has none', async () => {
    const unused = make({ name: 'wq55' })
    assert.deepEqual(threadsNamed('wq55'), [])
    const queue = make({ name: 'wq55', maxWorkers: 2, idleTimeoutMs: Infinity })
    await withAllWorkers(queue, { bounded: 2 })
    assert.ok(threadsNamed('wq55').length >= 2)
    await queue.close()
    await until('its threads are gone', () => threadsNamed('wq55').length === 0)
    await unused.close()
  })

  test('BUG-IOWQ-12, BUG-IOWQ-9: in the middle of growing makes nothing more and counts down to none', async () => {
    for (let round = 0; round < 15; round++) {
      const queue = make({ maxWorkers: { bounded: 4, unbounded: 4 } })
      const works = Array.from({ length: 12 }, (_, index) =>
        queue.enqueue('sleep', [1], { unbounded: index % 2 === 0, key: index % 5 }),
      )
      if (round % 3 > 0) await works[0]?.result.catch(() => {})
      if (round % 3 > 1) await new Promise((resolve) => setTimeout(resolve, round))
      assert.deepEqual(await queue.close(), { stuck: [] })
      assert.deepEqual(queue.workers(), [])
      const ends = works.map(({ state }) => state)
      assert.ok(
        ends.every((state) => state === 'done' || state === 'canceled'),
        ends.join(),
      )
    }
  })

  test('BUG-IOWQ-22: of 10,000 works takes no longer for each of them than of 1,000', async () => {
    const timeFor = (count: number): Promise<number> =>
      shortest(3, async () => {
        const queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
        const begun = word()
        const first = queue.run('untilAborted', [begun], { unbounded: true })
        await marked(begun)
        for (let index = 0; index < count; index++) {
          void queue.run('nothing', [], { unbounded: true, key: index % 10 })
        }
        await queue.close()
        await first
      })
    const [few, many] = [await timeFor(1000), await timeFor(10_000)]
    // A quadratic one would take a hundred times as long; a linear one takes less than ten times.
    assert.ok(many < 30 * few, `${few} ms and ${many} ms`)
  })

  test('WQ-77, WQ-71: is a promise of the owner: no other thread takes part, and any number may wait', async () => {
    const queue = make({ name: 'wq77', maxWorkers: 1 })
    await queue.run('nothing')
    assert.equal(threadsNamed('wq77').length, 1, 'a worker, and no manager')
    const [one, two] = await Promise.all([queue.close(), queue.close()])
    assert.equal(one, two)
  })

  test('waits for bounded works that wait for room in the rings, too', async () => {
    const queue = make({ maxWorkers: 1 })
    const counter = word()
    const works = Array.from({ length: 12_000 }, () => queue.run('count', [counter]))
    assert.deepEqual(await queue.close(), { stuck: [] })
    await Promise.all(works)
    assert.equal(counter[0], 12_000)
  })

  test('WQ-59: a queue that another one uses in its callbacks is closed apart from it', async () => {
    const queue = make({ maxWorkers: 1 })
    const other = make({ maxWorkers: 1 })
    const works = Array.from({ length: 20 }, () =>
      queue.run('add', [1, 2]).then((sum) => other.run('add', [sum, 1])),
    )
    assert.deepEqual(
      await Promise.all(works),
      Array.from({ length: 20 }, () => 4),
    )
    await queue.close()
    assert.equal(await other.run('add', [1, 2]), 3)
    await other.close()
  })
})

describe('a worker that ends', () => {
  test('WQ-57: closes nothing that others use: shared memory and files of the owner stay', async () => {
    const { openSync, fstatSync, closeSync } = await import('node:fs')
    const queue = make({ maxWorkers: 2 })
    const [counter, file] = [word(), openSync('/dev/null', 'r')]
    await Promise.all(Array.from({ length: 10 }, () => queue.run('count', [counter])))
    await failureOf(queue.run('exit', [1]))
    await queue.close()
    assert.equal(Atomics.add(counter, 0, 1), 10)
    assert.ok(fstatSync(file).isCharacterDevice())
    closeSync(file)
  })

  test('WQ-72: does so when it was idle for long and is not the last of its class', async () => {
    await using queue = make({ maxWorkers: 3, idleTimeoutMs: 60 })
    await withAllWorkers(queue, { bounded: 3 })
    await until('one is left', () => queue.workers().length === 1)
    const [last] = queue.workers()
    for (let wait = 0; wait < 3; wait++) await new Promise((resolve) => setTimeout(resolve, 80))
    assert.deepEqual(
      queue.workers().map(({ name }) => name),
      [last?.name],
    )
  })
})
