import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, word, type Coded } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

/** Takes items until there is none, or an error; gives both. */
async function take(items: AsyncIterable<unknown>): Promise<{ items: unknown[]; error?: Coded }> {
  const all: unknown[] = []
  try {
    for await (const item of items) all.push(item)
    return { items: all }
  } catch (error) {
    return { items: all, error: error as Coded }
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, item) => item)

describe('stream', () => {
  test('gives every item in order, and then ends; also none at all', async () => {
    await using queue = make({ maxWorkers: 2 })
    for (const count of [0, 1, 15, 16, 17, 500]) {
      assert.deepEqual(await take(queue.stream('items', [count])), { items: upTo(count) })
    }
    const streams = [100, 200, 300].map((count) => take(queue.stream('items', [count])))
    assert.deepEqual(
      (await Promise.all(streams)).map(({ items }) => items.length),
      [100, 200, 300],
    )
  })

  test('gives every item also where its work ends before its caller goes on from submitting it', async () => {
    await using queue = make({ maxWorkers: 1 })
    // Whoever has waited for works that take long looks at once for the end of the next, and only then waits.
    for (let work = 0; work < 40; work++) await queue.run('busy', [2])
    const { notify } = Atomics
    const stood = new Set<number>()
    for (let round = 0; stood.size < 10 && round < 1000; round++) {
      const asked = word()
      const hasEnded = (): boolean => asked[0] === 5 && queue.workers()[0]?.state === 'idle'
      // So that its worker sleeps, and is woken.
      await new Promise((resolve) => setTimeout(resolve, 1))
      const late = (...bell: [Int32Array, number]): number => {
        const woken = notify(...bell)
        // Whoever submits is put aside here, between showing the work and looking for its end.
        const deadline = performance.now() + 100
        while (!hasEnded() && performance.now() < deadline) Atomics.wait(asked, 0, 5, 1)
        if (hasEnded()) stood.add(round)
        return woken
      }
      Object.assign(Atomics, { notify: late })
      const answer = take(queue.stream('items', [5, asked]))
      Object.assign(Atomics, { notify })
      assert.deepEqual((await answer).items, upTo(5))
    }
    assert.equal(stood.size, 10)
  })

  test('lets the handler be at most 16 items ahead of who takes them', async () => {
    await using queue = make({ maxWorkers: 1 })
    const asked = word()
    const stream = queue.stream('items', [1000, asked])
    let taken = 0
    const isFull = (): boolean => Atomics.load(asked, 0) >= Math.min(1000, taken - (taken % 8) + 17)
    for await (const item of stream) {
      assert.equal(item, taken++)
      if (taken % 50 === 3) await until('the handler is as far ahead as it may', isFull)
      // It has one item in hand that it has no room for.
      assert.ok(Atomics.load(asked, 0) <= taken + 17, `${asked[0]} asked, ${taken} taken`)
    }
    assert.equal(taken, 1000)
  })

  test('begins with the first next, and answers calls of next in their order', async () => {
    await using queue = make({ maxWorkers: 1 })
    const idle = queue.stream('items', [5])
    assert.equal(queue.stats().submitted, 0)
    const answers = await Promise.all(upTo(8).map(() => idle.next()))
    assert.deepEqual(
      answers.map(({ value, done }) => (done === true ? 'end' : value)),
      [0, 1, 2, 3, 4, 'end', 'end', 'end'],
    )
    const unused = queue.stream('items', [5])
    await unused.return?.()
    assert.deepEqual(await unused.next(), { done: true, value: undefined })
    assert.equal(queue.stats().submitted, 1)
  })

  test('that is left by a break cancels the work, whose generator is left too', async () => {
    await using queue = make({ maxWorkers: 1 })
    for (const after of [1, 7, 40]) {
      const [left, seen] = [word(), [] as number[]]
      for await (const { item } of queue.stream('endless', [left])) {
        seen.push(item)
        if (seen.length === after) break
      }
      assert.deepEqual(seen, upTo(after))
      await marked(left)
      assert.equal(await queue.run('add', [1, 2]), 3)
    }
    await queue.flush()
    assert.equal(queue.stats().unsettled, 0)
  })

  test('passes on what the handler throws in the middle, after the items before it, once', async () => {
    await using queue = make({ maxWorkers: 1 })
    for (const count of [0, 3, 50]) {
      const stream = queue.stream('itemsThenFail', [count])
      const { items, error } = await take(stream)
      assert.deepEqual(items, upTo(count))
      assert.ok(error instanceof RangeError)
      assert.equal(error.message, `after ${count}`)
      assert.deepEqual(await stream.next(), { done: true, value: undefined })
    }
  })

  test('passes on the end of its thread, and an item that cannot be sent', async () => {
    await using queue = make({ maxWorkers: 1 })
    const { items, error } = await take(queue.stream('itemsThenExit', [5]))
    assert.deepEqual([items, error?.code], [upTo(5), 'ERR_WORKER_EXITED'])
    const sent = await take(queue.stream('itemOfFunction'))
    assert.deepEqual(sent.items, [1])
    assert.match(sent.error?.message ?? '', /could not be cloned/)
    const none = await take((queue as WorkQueue).stream('add', [1, 2]))
    assert.equal(none.error?.code, 'EINVAL')
  })

  test('ends with ABORT_ERR when its signal is aborted, and the handler stops', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [left, controller] = [word(), new AbortController()]
    const stream = queue.stream('endless', [left], { signal: controller.signal })
    let count = 0
    const taking = (async () => {
      for await (const _ of stream) if (++count === 30) controller.abort(new Error('enough'))
    })()
    const error = await failureOf(taking)
    assert.deepEqual([error.code, (error.cause as Error).message], ['ABORT_ERR', 'enough'])
    assert.ok(count >= 30 && count <= 46, String(count))
    await marked(left)
    await queue.flush()
  })

  test('takes the options of any work: a key, a time-out, a place behind another', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [left, gate] = [word(), word()]
    const head = queue.enqueue('waitFor', [gate])
    const behind = take(queue.stream('items', [3], { after: head, key: 'k' }))
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await behind, { items: [0, 1, 2] })
    const late = await take(queue.stream('endless', [left], { timeoutMs: 30 }))
    assert.equal(late.error?.code, 'ETIME')
    await marked(left)
  })

  test('WQ-51: of a closing queue ends: a bounded one to its end, an unbounded one cancelled', async () => {
    const queue = make({ maxWorkers: 1 })
    const left = word()
    const bounded = take(queue.stream('items', [300]))
    const unbounded = take(queue.stream('endless', [left], { unbounded: true }))
    await until('it runs', () => queue.workers().some(({ work }) => work?.name === 'endless'))
    assert.deepEqual(await queue.close(), { stuck: [] })
    assert.equal((await bounded).items.length, 300)
    assert.equal((await unbounded).error?.code, 'ECANCELED')
    assert.equal(left[0], 1)
  })
})
