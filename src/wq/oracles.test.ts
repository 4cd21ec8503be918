import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { marked, meeting, word, type Coded } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const end = (work: Work): Promise<string> =>
  work.result.then(
    () => 'done',
    (error: Coded) => error.code ?? 'no code',
  )

/** What the tests of io_uring's own library assert, where it has a meaning here. */
describe('as in liburing', () => {
  test('WQ-48: cancel-race: of 10,000 works and their cancels each pair has one outcome', async () => {
    await using queue = make({ maxWorkers: 2 })
    await queue.run('nothing')
    let [settled, cancels] = [0, 0]
    for (let round = 0; round < 100; round++) {
      const begun = word(100)
      const ended = word(100)
      const works = Array.from({ length: 100 }, (_, place) => {
        const options = place % 4 === 0 ? { key: place % 3 } : {}
        return queue.enqueue('mark', [begun, place, ended], options)
      })
      const ends = works.map((work) => end(work).finally(() => settled++))
      const outcomes: string[] = []
      for (const [place, work] of works.entries()) {
        if (place % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
        outcomes.push(work.cancel())
        cancels++
      }
      for (const [place, how] of (await Promise.all(ends)).entries()) {
        const ran = outcomes[place] !== 'canceled'
        assert.deepEqual(
          [how, begun[place], ended[place]],
          ran ? ['done', 1, 1] : ['ECANCELED', 0, 0],
        )
      }
    }
    assert.deepEqual([settled, cancels], [10_000, 10_000])
  })

  test('io-cancel: of 64 works half are cancelled: as many ends as works, the others in full', async () => {
    await using queue = make({ maxWorkers: 4 })
    for (const all of [true, false]) {
      const bytes = new Uint8Array(4096).fill(7)
      const gate = word()
      const works = Array.from({ length: 64 }, () => queue.enqueue('readLater', [bytes, gate]))
      await until('four run', () => works.filter(({ state }) => state === 'running').length === 4)
      const chosen = works.filter((_, index) => all || index % 2 === 0)
      const outcomes = chosen.map((work) => work.cancel())
      Atomics.store(gate, 0, 1)
      const ends = await Promise.allSettled(works.map(({ result }) => result))
      const canceled = ends.filter(({ status }) => status === 'rejected').length
      assert.equal(canceled, outcomes.filter((outcome) => outcome === 'canceled').length)
      assert.ok(outcomes.filter((outcome) => outcome === 'running').length <= 4)
      for (const each of ends) if (each.status === 'fulfilled') assert.deepEqual(each.value, bytes)
    }
  })

  test('sync-cancel: everything a cancel has hit ends soon, of 1 or 4, by handle or by match', async () => {
    await using queue = make({ maxWorkers: 4 })
    for (const count of [1, 4]) {
      for (const byMatch of [false, true]) {
        const words = Array.from({ length: count }, () => word())
        const works = words.map((begun) => queue.enqueue('checking', [begun]))
        await Promise.all(words.map(marked))
        if (byMatch) queue.cancel(({ name }) => name === 'checking', { all: true })
        else for (const work of works) assert.equal(work.cancel(), 'running')
        const ends = await Promise.all(works.map(end))
        assert.deepEqual(new Set(ends), new Set(['ECANCELED']))
      }
    }
  })

  test('link, submit-link-fail: a link that cannot be submitted, or fails, cancels the rest of its chain alone', async () => {
    await using queue = make({ maxWorkers: 2 })
    const counter = word()
    const loose = queue as unknown as WorkQueue
    for (let broken = 0; broken < 4; broken++) {
      const works: Work[] = []
      for (let place = 0; place < 4; place++) {
        const args = place === broken ? [() => {}] : [counter]
        const after = works.at(-1)
        works.push(loose.enqueue('count', args, after === undefined ? {} : { after }))
      }
      const other = loose.enqueue('nothing')
      const ends = await Promise.all([...works, other].map(end))
      const expected = [0, 1, 2, 3].map((place) =>
        place < broken ? 'done' : place === broken ? 'ERR_NOT_CLONEABLE' : 'ECANCELED',
      )
      assert.deepEqual(ends, [...expected, 'done'])
    }
    assert.equal(counter[0], 0 + 1 + 2 + 3)
  })

  test('link-timeout: the time-out of a link ends that link, and cancels those behind it', async () => {
    await using queue = make({ maxWorkers: 2 })
    const counter = word()
    const first = queue.enqueue('add', [1, 2], { timeoutMs: 60_000 })
    const second = queue.enqueue('untilAborted', [word()], { after: first, timeoutMs: 20 })
    const third = queue.enqueue('count', [counter], { after: second, timeoutMs: 20 })
    assert.deepEqual(await Promise.all([first, second, third].map(end)), [
      'done',
      'ETIME',
      'ECANCELED',
    ])
    assert.equal(counter[0], 0)
  })

  test('WQ-44: fpos: a chain of 1,000 works of one key moves a shared position without gap or overlap', async () => {
    await using queue = make({ maxWorkers: { bounded: 3, unbounded: 3 } })
    const meet = meeting(1000)
    const works = Array.from({ length: 1000 }, (_, index) =>
      queue.run('meet', [meet, index + 1, 0], { key: 'file', unbounded: index % 10 === 0 }),
    )
    await Promise.all(works)
    assert.deepEqual([meet.order[0], meet.most[0]], [1000, 1])
    assert.deepEqual(
      Array.from(meet.order.slice(1)),
      Array.from({ length: 1000 }, (_, index) => index + 1),
    )
  })

  test('submit-reuse: arguments are as they were at submission, whatever is done to them later', async () => {
    await using queue = make({ maxWorkers: 1 })
    const gate = word()
    const blocker = queue.run('waitFor', [gate])
    const [list, bytes, map] = [[1, { a: 1 }], new Uint8Array([1, 2, 3]), new Map([[1, 'one']])]
    const all = [list, bytes, map, { list, bytes }] as const
    const expected = all.map((each) => structuredClone(each))
    const options = [{}, { key: 'k' }, { unbounded: true }]
    const works = options.flatMap((option) => all.map((each) => queue.run('echo', [each], option)))
    const args = ['before'] as [string]
    const own = queue.run('echo', args)
    list.push(2)
    ;(list[1] as { a: number }).a = 9
    bytes.fill(9)
    map.clear()
    args[0] = 'after'
    Atomics.store(gate, 0, 1)
    assert.deepEqual(await Promise.all(works), [...expected, ...expected, ...expected])
    assert.equal(await own, 'before')
    await blocker
  })

  test('WQ-54, BUG-IOWQ-21: teardowns: 200 queues, each closed with works in another state, hang and leave nothing', async () => {
    for (let round = 0; round < 200; round++) {
      const queue = make({ maxWorkers: { bounded: 1 + (round % 2), unbounded: 1 } })
      const works: Work[] = []
      for (let index = 0; index < round % 7; index++) {
        const after = works.at(-1)
        const link = round % 3 === 0 && after !== undefined ? { after } : {}
        works.push(queue.enqueue('nothing', [], { unbounded: index % 2 === 0, ...link }))
      }
      if (round % 5 === 0) await works[0]?.result.catch(() => {})
      assert.deepEqual(await queue.close(), { stuck: [] })
      assert.ok(works.every(({ state }) => state === 'done' || state === 'canceled'))
    }
  })
})
