import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  WorkQueue,
  type UserWorkerError,
  type Work,
  type WorkOptions,
  type WorkQueueOptions,
} from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const threads = (queue: WorkQueue<typeof Handlers>): (number | null)[] =>
  queue.workers().map(({ osThreadId }) => osThreadId)

describe('a cancelled work that does not end', () => {
  test('is ended by force after killAfterMs, rejects with ECANCELED, and its thread is replaced', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const work = queue.enqueue('spin', [begun], { killAfterMs: 20 })
    await marked(begun)
    const [before] = threads(queue)
    const counter = word()
    const pending = Array.from({ length: 50 }, (_, index) =>
      queue.run('count', [counter], index % 2 === 0 ? { key: 'k' } : {}),
    )
    assert.equal(work.cancel(), 'running')
    assert.equal((await failureOf(work.result)).code, 'ECANCELED')
    assert.equal(work.state, 'canceled')
    const counts = await Promise.all(pending)
    assert.deepEqual(new Set(counts).size, 50, 'the pending ones ran on the replacement, once each')
    assert.notEqual(threads(queue)[0], before)
  })

  test('is left alone without killAfterMs, and when it ends in time', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, begun] = [word(), word()]
    const thread = await queue.run('thread')
    const deaf = queue.enqueue('waitFor', [gate])
    await until('it runs', () => deaf.state === 'running')
    deaf.cancel()
    const minding = queue.enqueue('untilAborted', [begun], { killAfterMs: 60_000 })
    Atomics.store(gate, 0, 1)
    await deaf.result
    await marked(begun)
    minding.cancel()
    assert.equal(await minding.result, 'ECANCELED')
    assert.equal(await queue.run('thread'), thread)
  })

  test('and ends in time leaves nothing behind, however long killAfterMs is', async () => {
    await using queue = make({ maxWorkers: 1 })
    const told = async (options: WorkOptions): Promise<WeakRef<Work>> => {
      const begun = word()
      const work = queue.enqueue('untilAborted', [begun], { killAfterMs: 600_000, ...options })
      const ended = work.result.catch(() => {})
      await marked(begun)
      if (options.timeoutMs === undefined) work.cancel()
      await ended
      return new WeakRef(work)
    }
    const works = [await told({}), await told({ timeoutMs: 1 })]
    // Its thread has answered for all of them.
    await queue.run('thread')
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await until('nothing holds on to them', () => {
      collect()
      return works.every((work) => work.deref() === undefined)
    })
  })

  test('takes only its own thread along: works beside it are innocent, works elsewhere go on', async () => {
    await using queue = make({ maxWorkers: 2, minWorkers: 2, concurrency: 3 })
    await queue.ready()
    const works = Array.from({ length: 6 }, () => {
      const begun = word()
      return { begun, work: queue.enqueue('deaf', [begun], { killAfterMs: 10 }) }
    })
    await Promise.all(works.map(({ begun }) => marked(begun)))
    const listed = queue.workers()
    assert.deepEqual(
      listed.map((worker) => worker.works),
      [3, 3],
    )
    const guilty = works[0]?.work
    const name = listed.find(({ work }) => work?.id === guilty?.id)?.name
    guilty?.cancel()
    assert.equal((await failureOf(guilty?.result as Promise<unknown>)).code, 'ECANCELED')
    const failed = works.filter(({ work }) => work.state === 'failed')
    assert.equal(failed.length, 2)
    for (const { work } of failed) {
      const error = (await failureOf(work.result)) as UserWorkerError
      assert.deepEqual([error.code, error.innocent], ['ERR_WORKER_DIED', true])
      assert.match(error.message, new RegExp(`'${name}' was ended because of another work`))
    }
    const left = works.filter(({ work }) => work.state === 'running')
    assert.equal(left.length, 3, 'those of the other thread')
    assert.equal(await queue.run('add', [1, 2]), 3)
    for (const { work } of left) work.cancel()
    await Promise.allSettled(left.map(({ work }) => work.result))
  })

  test('and dies with another one, is a cancelled work all the same, and no innocent one', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: 2 })
    const [one, two] = [word(), word()]
    const works = [
      queue.enqueue('deaf', [one], { killAfterMs: 20 }),
      queue.enqueue('deaf', [two], { killAfterMs: 20 }),
    ]
    await Promise.all([marked(one), marked(two)])
    assert.equal(queue.cancel(() => true, { all: true }).running, 2)
    for (const { result } of works) assert.equal((await failureOf(result)).code, 'ECANCELED')
  })

  test('and dies with one whose time was up, rejects with its own cancel, not with that time', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: 2 })
    const [one, two] = [word(), word()]
    const canceled = queue.enqueue('deaf', [one], { killAfterMs: 600_000 })
    await marked(one)
    assert.equal(canceled.cancel(), 'running')
    const late = queue.enqueue('deaf', [two], { timeoutMs: 20, killAfterMs: 20 })
    assert.equal((await failureOf(late.result)).code, 'ETIME')
    assert.equal((await failureOf(canceled.result)).code, 'ECANCELED')
  })

  test('ends a broadcast there with the end of its thread, not with its own time-out', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const spinning = failureOf(queue.run('spin', [begun], { timeoutMs: 20, killAfterMs: 20 }))
    await marked(begun)
    const error = (await failureOf(queue.broadcast('thread'))) as UserWorkerError
    assert.deepEqual([error.code, error.innocent], ['ERR_WORKER_DIED', true])
    assert.equal((await spinning).code, 'ETIME')
  })

  test('keeps its key until its thread is gone, and the next of that key runs on the replacement', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, counter] = [word(), word()]
    const work = queue.enqueue('spin', [begun], { key: 'k', killAfterMs: 20 })
    const behind = Array.from({ length: 5 }, () => queue.enqueue('count', [counter], { key: 'k' }))
    await marked(begun)
    assert.equal(await queue.run('add', [1, 2]), 3)
    assert.equal(counter[0], 0)
    work.cancel()
    const counts = await Promise.all(behind.map(({ result }) => result))
    assert.deepEqual(counts, [1, 2, 3, 4, 5])
    assert.equal(work.state, 'canceled')
  })

  test('an aborted signal counts like a cancel: it rejects at once, and the thread ends afterwards', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, controller] = [word(), new AbortController()]
    const { signal } = controller
    const work = queue.enqueue('spin', [begun], { signal, killAfterMs: 20 })
    await marked(begun)
    const [before] = threads(queue)
    controller.abort()
    assert.equal((await failureOf(work.result)).code, 'ABORT_ERR')
    assert.equal(await queue.run('add', [1, 2]), 3)
    assert.notEqual(threads(queue)[0], before)
  })

  test('no thread is ended for a work that has ended while its owner was busy', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const thread = await queue.run('thread')
    const work = queue.enqueue('untilAborted', [begun], { killAfterMs: 30 })
    await marked(begun)
    work.cancel()
    const end = performance.now() + 120
    while (performance.now() < end);
    assert.equal(await work.result, 'ECANCELED')
    assert.equal(await queue.run('thread'), thread)
  })
})
