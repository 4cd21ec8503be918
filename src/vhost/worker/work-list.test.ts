import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from '../../os/thread.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { add, begin, close, hasWork, itemsOf, makeList, take } from './work-list.js'

checkForLeaks()

/** Takes all, and begins each. */
function run(list: Parameters<typeof take>[0]): number[] {
  const items = take(list)
  for (const item of items) begin(list, item)
  return items
}

describe('the list of works', () => {
  test('gives all that was added at once, in the order of adding [VH-11, INV-VH-3]', () => {
    const list = makeList(5)
    assert.equal(itemsOf(list), 5)
    assert.deepEqual(take(list), [])
    for (const item of [3, 0, 4, 1]) assert.equal(add(list, item), true)
    assert.deepEqual(run(list), [3, 0, 4, 1])
    assert.deepEqual(run(list), [])
  })

  test('has an item once, however often it is added, until its run begins [VH-10, INV-VH-1]', () => {
    const list = makeList(3)
    for (const item of [1, 2, 1, 1, 2]) assert.equal(add(list, item), true)
    assert.deepEqual(take(list), [1, 2])
    // Taken and not begun: a run is still to come.
    assert.equal(add(list, 1), true)
    assert.equal(hasWork(list), false)
    begin(list, 1)
    begin(list, 2)
    assert.deepEqual(run(list), [])
  })

  test('takes an item again as soon as its run has begun [VH-11, INV-VH-2]', () => {
    const list = makeList(2)
    add(list, 0)
    assert.deepEqual(take(list), [0])
    begin(list, 0)
    assert.equal(add(list, 0), true)
    assert.equal(hasWork(list), true)
    assert.deepEqual(run(list), [0])
  })

  test('says whether there is anything, without taking it [VH-17]', () => {
    const list = makeList(1)
    assert.equal(hasWork(list), false)
    add(list, 0)
    assert.equal(hasWork(list), true)
    assert.equal(hasWork(list), true)
    assert.deepEqual(run(list), [0])
    assert.equal(hasWork(list), false)
    close(list)
    assert.equal(hasWork(list), false)
  })

  test('that is closed gives what was in it, and refuses all that comes [INV-VH-8]', () => {
    const list = makeList(4)
    add(list, 2)
    add(list, 1)
    assert.deepEqual(close(list), [2, 1])
    begin(list, 2)
    for (const item of [0, 2]) assert.equal(add(list, item), false)
    assert.equal(add(list, 0), false, 'a refusal leaves nothing behind')
    assert.deepEqual([take(list), close(list)], [[], []])
  })
})

/** What two threads share: the list, and a word for each item's additions and runs, and a few more. */
const items = 8
const places = { asked: 0, seen: items, end: 2 * items, turns: 2 * items + 1 }

describe('two threads at one list', () => {
  test('lose nothing: a run of each item begins after its last addition [INV-VH-2, INV-VH-8, BUG-VH-12]', async () => {
    const list = makeList(items + 1)
    const words = new Int32Array(new SharedArrayBuffer(4 * (2 * items + 2)))
    const url = JSON.stringify(new URL('./work-list.js', import.meta.url).href)
    const worker = new Worker(
      `import(${url}).then(({ add, begin, close, take }) => {
        const { list, words, places, items } = require('node:worker_threads').workerData
        const run = (item) => {
          begin(list, item)
          if (item === items) return
          Atomics.store(words, places.seen + item, Atomics.load(words, places.asked + item))
        }
        for (let turn = 0; Atomics.load(words, places.end) === 0; turn++) {
          const taken = take(list)
          if (new Set(taken).size !== taken.length) throw new Error('an item is in it twice')
          taken.forEach(run)
          // It adds one of its own, as a vring does that has used its share.
          if (turn % 3 === 0) add(list, items)
          if (taken.length > 0) Atomics.add(words, places.turns, 1)
        }
        close(list).forEach(run)
      })`,
      { eval: true, workerData: { list, words, places, items } },
    )
    const accepted = Array.from({ length: items }, () => 0)
    let refused = 0
    const until = performance.now() + 60_000
    for (let round = 1; refused < items; round++) {
      for (let item = 0; item < items; item++) {
        Atomics.store(words, places.asked + item, round)
        if (add(list, item)) accepted[item] = round
        else refused++
      }
      // In the middle of additions, wherever they stand.
      if (round > 20_000 && Atomics.load(words, places.turns) > 100) {
        Atomics.store(words, places.end, 1)
      }
      assert.ok(performance.now() < until, 'the list is never closed')
      if (refused < items) refused = 0
    }
    assert.deepEqual(await once(worker, 'exit'), [0])
    for (const [item, round] of accepted.entries()) {
      const seen = words[places.seen + item] ?? 0
      assert.ok(seen >= round, `item ${item} was added in round ${round}, its last run saw ${seen}`)
    }
  })
})
