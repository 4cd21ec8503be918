import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Meeting } from '../handlers.fixture.js'
import { type Make, word, meeting, test } from './support.fixture.js'

/** What the contract says about keys. */
export function keysContract(make: Make): void {
  test('INV-IOWQ-5: works of one key never overlap, and INV-IOWQ-6: they run in order of submission', async () => {
    await using queue = make({ maxWorkers: { bounded: 3, unbounded: 3 } })
    const keys = ['a', 'b', 'c', 'd', 'e']
    const meetings = new Map(keys.map((key) => [key, meeting(60)]))
    const works = Array.from({ length: 300 }, (_, index) => {
      const key = keys[index % keys.length] ?? ''
      const mark = Math.floor(index / keys.length)
      return queue.run('meet', [meetings.get(key) as Meeting, mark, index % 7 === 0 ? 3 : 0], {
        key,
        unbounded: index % 3 === 0,
      })
    })
    await Promise.all(works)
    for (const { most, order } of meetings.values()) {
      assert.equal(most[0], 1)
      assert.deepEqual(
        Array.from(order.slice(1)),
        Array.from({ length: 60 }, (_, mark) => mark),
      )
    }
  })

  test('INV-IOWQ-7: a busy key holds up no other work', async () => {
    await using queue = make({ maxWorkers: 2 })
    const gate = word()
    const held = Array.from({ length: 10 }, () => queue.run('waitFor', [gate], { key: 'held' }))
    assert.equal(await queue.run('add', [1, 2]), 3)
    assert.equal(await queue.run('add', [1, 2], { key: 'other' }), 3)
    Atomics.store(gate, 0, 1)
    await Promise.all(held)
  })

  test('BUG-IOWQ-16: eight works of one key make one worker, not eight', async () => {
    await using queue = make({ maxWorkers: 8 })
    await Promise.all(Array.from({ length: 8 }, () => queue.run('sleep', [15], { key: 'one' })))
    assert.equal(queue.workers().length, 1)
  })

  test('keys are exact values, not hashes or texts (C-4)', async () => {
    await using queue = make({ maxWorkers: 4 })
    const object = {}
    const gate = word()
    const held = [1, '1', null, object].map((key) => queue.run('waitFor', [gate], { key }))
    // Each of the four runs: no two of these keys are the same.
    while (queue.workers().filter(({ state }) => state === 'busy').length < 4) await sleep(2)
    const behind = queue.enqueue('add', [1, 2], { key: object })
    await sleep(30)
    assert.equal(behind.state, 'pending')
    Atomics.store(gate, 0, 1)
    await Promise.all(held)
    assert.equal(await behind.result, 3)
  })

  test('a chain goes on behind a work that failed, that was cancelled, or whose thread died', async () => {
    await using queue = make({ maxWorkers: 1 })
    const { order, ...rest } = meeting(4)
    const options = { key: 'chain' }
    const works = [
      queue.enqueue('meet', [{ ...rest, order }, 1, 20], options),
      queue.enqueue('fail', ['own'], options),
      queue.enqueue('meet', [{ ...rest, order }, 2, 0], options),
      queue.enqueue('exit', [3], options),
      queue.enqueue('meet', [{ ...rest, order }, 99, 0], options),
      queue.enqueue('meet', [{ ...rest, order }, 3, 0], options),
    ]
    assert.equal(works[4]?.cancel(), 'canceled')
    await Promise.allSettled(works.map(({ result }) => result))
    assert.deepEqual(
      works.map(({ state }) => state),
      ['done', 'failed', 'done', 'failed', 'canceled', 'done'],
    )
    assert.deepEqual([...order], [3, 1, 2, 3, 0])
  })
}
