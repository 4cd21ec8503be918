import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, marked, meeting, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const states = (works: readonly Work[]): string[] => works.map(({ state }) => state)
const settled = (works: readonly Work[]): Promise<unknown> =>
  Promise.allSettled(works.map(({ result }) => result))

describe('works that follow others', () => {
  test('a chain of 1,000 links runs in its order, whatever the classes, keys and threads', async () => {
    await using queue = make({ maxWorkers: { bounded: 3, unbounded: 3 } })
    const meet = meeting(1000)
    const works: Work[] = []
    for (let index = 0; index < 1000; index++) {
      const key = index % 5 === 0 ? { key: index % 3 } : {}
      const after = works.at(-1)
      works.push(
        queue.enqueue('meet', [meet, index + 1, 0], {
          unbounded: index % 3 === 0,
          ...key,
          ...(after === undefined ? {} : { after }),
        }),
      )
    }
    await Promise.all(works.map(({ result }) => result))
    assert.deepEqual(
      Array.from(meet.order.slice(1)),
      Array.from({ length: 1000 }, (_, index) => index + 1),
    )
    assert.equal(meet.most[0], 1)
  })

  test('a work may follow several: it runs when the last of them is done', async () => {
    await using queue = make({ maxWorkers: 3 })
    const [gate, counter] = [word(), word()]
    const heads = [1, 2, 3].map((value) => queue.enqueue('add', [value, 0]))
    const last = queue.enqueue('waitFor', [gate])
    const work = queue.enqueue('count', [counter], { after: [...heads, last, last] })
    await Promise.all(heads.map(({ result }) => result))
    assert.deepEqual([work.state, counter[0]], ['pending', 0])
    Atomics.store(gate, 0, 1)
    assert.equal(await work.result, 1)
    assert.equal(await queue.run('count', [counter], { after: [work] }), 2, 'one that is done')
    assert.equal(await queue.run('count', [counter], { after: [] }), 3)
  })

  test('a head that fails cancels all that follows, and names itself', async () => {
    await using queue = make({ maxWorkers: 1 })
    const counter = word()
    for (const length of [1, 10, 1000, 10_000]) {
      const head = queue.enqueue('fail', ['text'])
      const works = [head as Work]
      for (let index = 0; index < length; index++) {
        works.push(queue.enqueue('count', [counter], { after: works[index] as Work }))
      }
      assert.equal(await failureOf(head.result), 'text')
      await settled(works)
      assert.deepEqual(new Set(states(works.slice(1))), new Set(['canceled']))
      const error = await failureOf(works[1]?.result as Promise<unknown>)
      assert.equal(error.code, 'ECANCELED')
      assert.match(error.message, /'count' was cancelled, because 'fail'.* is not done/)
    }
    assert.equal(counter[0], 0)
    assert.equal(queue.stats().unsettled, 0)
  })

  test('one that dies with its thread, or was refused, cancels what follows it too', async () => {
    await using queue = make({ maxWorkers: 1 })
    const died = queue.enqueue('exit', [1])
    const refused = queue.enqueue('add', [(() => {}) as never, 1])
    const aborted = queue.enqueue('add', [1, 2], { signal: AbortSignal.abort() })
    const heads = [died, refused, aborted]
    const works = heads.map((after) => queue.enqueue('nothing', [], { after }))
    await settled([...heads, ...works])
    assert.deepEqual(states(heads), ['failed', 'failed', 'canceled'])
    assert.deepEqual(states(works), ['canceled', 'canceled', 'canceled'])
  })

  test('BUG-IOWQ-19: cancelling the head cancels the chain, also across classes, and close does not hang', async () => {
    const queue = make({ maxWorkers: 1 })
    const [gate, begun] = [word(), word()]
    const blocker = queue.enqueue('waitFor', [gate])
    await until('it runs', () => blocker.state === 'running')
    const head = queue.enqueue('nothing')
    const works = [head as Work]
    for (let index = 0; index < 1000; index++) {
      // Each of them would wait for ever.
      const options = { after: works[index] as Work, unbounded: index % 2 === 0 }
      works.push(queue.enqueue('deaf', [begun], options))
    }
    assert.equal(head.cancel(), 'canceled')
    assert.deepEqual(new Set(states(works)), new Set(['canceled']))
    const hidden = queue.enqueue('deaf', [begun], { unbounded: true, after: blocker })
    const closed = queue.close()
    assert.equal(hidden.state, 'canceled', 'an unbounded one behind a work that runs')
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await closed, { stuck: [] })
    assert.equal(begun[0], 0)
  })

  test('one in the middle of a chain, when it is cancelled, takes along what is behind it alone', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, counter] = [word(), word()]
    const works: Work[] = [queue.enqueue('waitFor', [gate])]
    for (let index = 0; index < 6; index++) {
      works.push(queue.enqueue('count', [counter], { after: works[index] as Work }))
    }
    assert.equal(works[3]?.cancel(), 'canceled')
    Atomics.store(gate, 0, 1)
    await settled(works)
    const expected = ['done', 'done', 'done', 'canceled', 'canceled', 'canceled', 'canceled']
    assert.deepEqual(states(works), expected)
    assert.equal(counter[0], 2)
  })

  test('WQ-42: a head that is cancelled while it runs and ends well is done: what follows runs', async () => {
    await using queue = make({ maxWorkers: 1 })
    const begun = word()
    const head = queue.enqueue('untilAborted', [begun])
    const work = queue.enqueue('add', [1, 2], { after: head })
    await marked(begun)
    head.cancel()
    assert.equal(await work.result, 3)
  })

  test('a chain waits while it is closed upon, and runs to its end if it is bounded', async () => {
    const queue = make({ maxWorkers: 2 })
    const [gate, counter] = [word(), word()]
    let last: Work = queue.enqueue('waitFor', [gate])
    for (let index = 0; index < 100; index++) {
      last = queue.enqueue('count', [counter], { after: last, key: index % 3 })
    }
    await until('it runs', () => queue.workers().some(({ state }) => state === 'busy'))
    const closed = queue.close()
    Atomics.store(gate, 0, 1)
    assert.equal(await last.result, 100)
    assert.deepEqual(await closed, { stuck: [] })
  })

  test('what to follow must be works of the same queue', async () => {
    await using queue = make()
    await using other = make()
    const work = other.enqueue('nothing')
    assert.throws(() => queue.enqueue('nothing', [], { after: work }), { code: 'EINVAL' })
    assert.throws(() => queue.enqueue('nothing', [], { after: [work] }), /is another's/)
    for (const after of [5, {}, null, [work, 5]]) {
      assert.throws(() => queue.enqueue('nothing', [], { after: after as never }), {
        code: 'EINVAL',
      })
    }
    await work.result
    assert.equal(queue.stats().submitted, 0)
  })
})
