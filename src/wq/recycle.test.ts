import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UserWorkerError, WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

describe('recycle', () => {
  test('by works: threads are replaced after so many, and no work is lost or runs twice', async () => {
    const [tornDown, counter] = [word(), word()]
    const queue = make({ maxWorkers: 2, recycle: { works: 100 }, data: { tornDown } })
    const threads = await Promise.all(
      Array.from({ length: 1500 }, (_, index) =>
        queue.run('countOn', [counter], index % 3 === 0 ? { key: index % 5 } : {}),
      ),
    )
    assert.equal(counter[0], 1500)
    const byThread = new Map<number, number>()
    for (const thread of threads) byThread.set(thread, (byThread.get(thread) ?? 0) + 1)
    assert.ok(byThread.size >= 1500 / 116, `${byThread.size} threads`)
    // A chain may go on for a work more.
    assert.ok(Math.max(...byThread.values()) <= 101, [...byThread.values()].join())
    await queue.close()
    assert.ok((tornDown[0] ?? 0) >= byThread.size, 'each tears down')
  })

  test('in the midst of a chain of one key hands the chain on, in its order', async () => {
    await using queue = make({ maxWorkers: 1, recycle: { works: 16 } })
    const works = Array.from({ length: 80 }, () => queue.run('busy', [0.5], { key: 'k' }))
    assert.equal((await Promise.all(works)).length, 80)
  })

  test('lets works end that run beside each other, before the thread leaves', async () => {
    await using queue = make({ maxWorkers: 2, concurrency: 4, recycle: { works: 5 } })
    const [begun, gate, ended] = [word(), word(), word()]
    const works = Array.from({ length: 3 }, () => queue.run('pass', [begun, gate, ended]))
    await until('three run', () => Atomics.load(begun, 0) === 3)
    const threads = Array.from({ length: 20 }, () => queue.run('thread'))
    assert.ok(new Set(await Promise.all(threads)).size > 1)
    Atomics.store(gate, 0, 1)
    assert.deepEqual(
      (await Promise.all(works)).toSorted((one, other) => one - other),
      [1, 2, 3],
    )
  })

  test('of a thread whose works take long makes room for the next one meanwhile', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: 4, recycle: { works: 3 } })
    const [begun, gate, ended] = [word(), word(), word()]
    const long = queue.run('pass', [begun, gate, ended])
    await marked(begun)
    const threads = await Promise.all(Array.from({ length: 9 }, () => queue.run('thread')))
    assert.equal(new Set(threads).size, 3, 'three works on each')
    Atomics.store(gate, 0, 1)
    assert.equal(await long, 1)
  })

  test('by heapMb: a thread that has taken too much memory is replaced', async () => {
    await using queue = make({ maxWorkers: 1, recycle: { heapMb: 60 } })
    const threads: number[] = []
    for (let round = 0; round < 260; round++) threads.push(await queue.run('hoard', [1]))
    const different = new Set(threads).size
    // It is looked at after each 64th work, and a megabyte is taken by each.
    assert.ok(different >= 2 && different <= 6, String(different))
  })
})

describe('broadcast', () => {
  test('calls a handler once in each worker of both classes, beside its works', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 1 }, minWorkers: 2 })
    assert.deepEqual(await queue.broadcast('thread'), [], 'there is no worker yet')
    const refused = { code: 'ERR_NOT_CLONEABLE' }
    await assert.rejects((queue as WorkQueue).broadcast('echo', [() => {}]), refused)
    await queue.ready()
    await queue.run('nothing', [], { unbounded: true })
    const begun = word()
    const busy = queue.enqueue('untilAborted', [begun], { unbounded: true })
    await marked(begun)
    const threads = await queue.broadcast('thread')
    assert.equal(new Set(threads).size, 3)
    const counter = word()
    await queue.broadcast('count', [counter])
    assert.equal(counter[0], 3)
    busy.cancel()
    await busy.result
  })

  test('rejects with what a handler threw, or with the end of its thread', async () => {
    await using queue = make({ maxWorkers: 2, minWorkers: 2 })
    await queue.ready()
    await assert.rejects(queue.broadcast('fail', ['own']), { code: 'E_OWN' })
    await assert.rejects((queue as WorkQueue).broadcast('nowhere'), { code: 'ERR_NO_HANDLER' })
    const error = await failureOf(queue.broadcast('exit', [3]))
    assert.ok(error instanceof UserWorkerError, String(error))
    await assert.rejects((queue as WorkQueue).broadcast('echo', [() => {}]), {
      code: 'ERR_NOT_CLONEABLE',
    })
    assert.equal(await queue.run('add', [1, 2]), 3)
  })
})

describe('onProgress', () => {
  test('gets every value in order, and before the result', async () => {
    await using queue = make({ maxWorkers: 2 })
    const works = Array.from({ length: 20 }, async () => {
      const seen: unknown[] = []
      const onProgress = (value: unknown): unknown => seen.push(value)
      assert.equal(await queue.run('progress', [50], { onProgress }), 50)
      assert.deepEqual(
        seen,
        Array.from({ length: 50 }, (_, step) => ({ step })),
      )
    })
    await Promise.all(works)
    assert.equal(await queue.run('progress', [5]), 5, 'nobody has to listen')
  })
})

describe('inline functions', () => {
  test('run in a worker, by run and by enqueue, with the options of any work', async () => {
    await using queue = make({ maxWorkers: 2 })
    assert.equal(await queue.run((a: number, b: number) => a * b, [6, 7]), 42)
    const later = async (ms: number): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 'later'
    }
    const work = queue.enqueue(later, [1], { key: 'k', timeoutMs: 60_000 })
    assert.equal(work.name, 'later')
    assert.equal(await work.result, 'later')
    const own = await queue.run(() => import('node:worker_threads').then((all) => all.threadId))
    assert.notEqual(own, 0)
  })

  test('that refer to their surroundings are refused with ERR_FREE_NAME, naming what', async () => {
    await using queue = make({ maxWorkers: 1 })
    const outside = 5
    const error = await failureOf(queue.run((value: number) => value + outside, [1]))
    assert.equal(error.code, 'ERR_FREE_NAME')
    assert.match(error.message, /refers to 'outside'/)
    const work = queue.enqueue(() => outside)
    assert.equal((await failureOf(work.result)).code, 'ERR_FREE_NAME')
    assert.throws(() => (queue as WorkQueue).enqueue(Math.max, []), { code: 'EINVAL' })
  })
})
