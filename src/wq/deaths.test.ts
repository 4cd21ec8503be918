import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work, type WorkOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import type { Worker } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { marked, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
type Queue = WorkQueue<typeof Handlers>

/** How often each work of a round began and ended, in the threads' own words. */
interface Counters {
  readonly begun: Int32Array
  readonly ended: Int32Array
}

const count = 1000
/** The work in the midst of the others that ends its thread, where a round wants one. */
const deadly = 300

/** Submits a round of works of all kinds. */
function submit(queue: Queue, { begun, ended }: Counters): Work[] {
  return Array.from({ length: count }, (_, place) => {
    const options: WorkOptions = {
      ...(place % 3 === 0 ? { key: place % 11 } : {}),
      ...(place % 7 === 0 ? { priority: 'high' } : {}),
    }
    if (place % 20 === 5) return queue.enqueue('markLater', [begun, place, ended], options)
    return queue.enqueue('mark', [begun, place, ended], options)
  })
}

/** @returns how many works were taken along by their threads */
async function check(works: readonly Work[], { begun, ended }: Counters): Promise<number> {
  let settled = 0
  const ends = await Promise.allSettled(works.map(({ result }) => result.finally(() => settled++)))
  assert.equal(settled, works.length, 'each settles once')
  for (const [place, end] of ends.entries()) {
    const [began, finished] = [begun[place] ?? 0, ended[place] ?? 0]
    assert.ok(began <= 1, `work ${place} ran ${began} times`)
    if (end.status === 'fulfilled') {
      assert.deepEqual([end.value, began, finished], [place, 1, 1])
    } else {
      const { code } = end.reason as { code?: string }
      assert.ok(['ERR_WORKER_DIED', 'ERR_WORKER_EXITED', 'ECANCELED'].includes(code ?? ''), code)
    }
  }
  return ends.filter(({ status }) => status === 'rejected').length
}

/** The threads that the queues of a test make, in the order of their making. */
function threadsOfTest(onEnd: (done: () => void) => void): Worker[] {
  const threads: Worker[] = []
  const listener = (thread: Worker): unknown => threads.push(thread)
  process.on('worker', listener as never)
  onEnd(() => process.off('worker', listener as never))
  return threads
}

/** Node takes its number away from a thread that has ended. */
const isAlive = ({ threadId }: Worker): boolean => threadId !== -1

/** How a thread is ended in the midst of a round: what is done while the works are in flight. */
type Way = (queue: Queue, counters: Counters, threads: readonly Worker[]) => Promise<void>

const exits: Way = async (queue, { begun }) => {
  await queue.enqueue('markAndExit', [begun, count]).result.catch(() => {})
}

const terminated: Way = async (_, { ended }, threads) => {
  const place = 1 + ((threads.length * 37) % deadly)
  await until('some works have ended', () => Atomics.load(ended, place) > 0)
  await threads.findLast(isAlive)?.terminate()
}

const killed: Way = async (queue, { begun }) => {
  const mark = begun.subarray(count)
  const work = queue.enqueue('markAndSpin', [begun, count], { killAfterMs: 1 })
  await marked(mark)
  work.cancel()
  await work.result.catch(() => {})
}

async function rounds(way: Way, number: number, threads: readonly Worker[]): Promise<number[]> {
  await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 2 })
  const taken: number[] = []
  for (let round = 0; round < number; round++) {
    const counters = { begun: word(count + 1), ended: word(count + 1) }
    const half = submit(queue, counters)
    await way(queue, counters, threads)
    taken.push(await check(half, counters))
    assert.equal(await queue.run('add', [round, 1]), round + 1, 'the replacement serves the next')
  }
  const { submitted, done, failed, canceled, unsettled } = queue.stats()
  assert.deepEqual([done + failed + canceled, unsettled], [submitted, 0])
  return taken
}

describe('a thread that ends among 1,000 works in flight', () => {
  const ways: [string, Way][] = [
    ['by process.exit in a handler', exits],
    ['by worker.terminate', terminated],
    ['by killAfterMs', killed],
  ]
  for (const [name, way] of ways) {
    test(`${name}: 40 times: none is lost, none runs twice, and only its own work fails`, async (t) => {
      const threads = threadsOfTest((done) => t.after(done))
      const taken = await rounds(way, 40, threads)
      const gone = threads.filter((thread) => !isAlive(thread)).length
      assert.ok(gone >= 40, `${gone} threads have ended, one or more in each round`)
      // It ran one work at a time: that one, and no other, may have been one of these.
      assert.ok(
        taken.every((works) => works <= 1),
        taken.join(),
      )
    })
  }

  test('takes along exactly the works it ran beside each other, and the next ones run', async () => {
    await using queue = new WorkQueue<typeof Handlers>(handlers, {
      maxWorkers: 1,
      concurrency: 8,
    })
    for (let round = 0; round < 20; round++) {
      const [begun, gate, counter] = [word(), word(), word()]
      const beside = Array.from({ length: 7 }, () => queue.enqueue('pass', [begun, gate, counter]))
      await until('all seven run', () => Atomics.load(begun, 0) === 7)
      const works = [...beside, queue.enqueue('exit', [round])]
      const next = Array.from({ length: 30 }, () => queue.run('count', [counter]))
      await Promise.allSettled(works.map(({ result }) => result))
      assert.deepEqual(new Set(works.map(({ state }) => state)), new Set(['failed']))
      await Promise.all(next)
      assert.equal(counter[0], 30)
    }
  })

  test('gives back no result twice: what it had completed counts, what it had not fails', async (t) => {
    const threads = threadsOfTest((done) => t.after(done))
    for (let round = 0; round < 15; round++) {
      await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
      const big = 'x'.repeat(40_000)
      const works = Array.from({ length: 100 }, (_, index) =>
        queue.enqueue('echo', [{ index, big, at: new Date(index), set: new Set([index]) }]),
      )
      await works[round * 5]?.result
      void threads.at(-1)?.terminate()
      const ends = await Promise.allSettled(works.map(({ result }) => result))
      const failed = ends.filter(({ status }) => status === 'rejected')
      assert.ok(failed.length <= 1, String(failed.length))
      for (const [index, end] of ends.entries()) {
        if (end.status === 'fulfilled') {
          assert.equal((end.value as { index: number }).index, index)
        }
      }
    }
  })
})
