import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, word, type Coded } from './contract/support.fixture.js'
import { make, noted, open, reaches, upTo } from './gated-queue.fixture.js'

checkForLeaks()

describe('a work that is to follow others', () => {
  test('WQ-36: begins when all of them are done, in whatever order they end', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, order] = [word(), word(10)]
    const gates = [word(), word(), word()] as const
    const before = gates.map((gate) => queue.enqueue('awaited', [begun, gate]))
    const after = queue.enqueue('note', [order, 7], { after: before })
    const single = queue.enqueue('note', [order, 1], { after: before[2] as never })
    await reaches(begun, 3)
    open(gates[2])
    await single.result
    assert.deepEqual([after.state, noted(order)], ['pending', [1]])
    open(gates[0])
    await before[0]?.result
    await queue.run('nothing')
    assert.equal(after.state, 'pending')
    open(gates[1])
    await after.result
    assert.deepEqual(noted(order), [1, 7])
  })

  test('WQ-36: runs in its turn where they are done already', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const [done, order] = [queue.enqueue('nothing'), word(10)]
    await done.result
    const works = upTo(6).map((mark) =>
      queue.run('note', [order, mark], {
        after: done,
        unbounded: mark % 2 === 0,
        key: 'k',
        priority: mark % 3 === 0 ? 'low' : 'high',
      }),
    )
    await Promise.all(works)
    assert.deepEqual(noted(order), upTo(6))
  })

  test('WQ-36: a line of them runs one after the other, over both classes', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 2 } })
    const order = word(101)
    let last = queue.enqueue('note', [order, 0])
    for (let mark = 1; mark < 100; mark++) {
      last = queue.enqueue('note', [order, mark], { after: last, unbounded: mark % 3 === 0 })
    }
    await last.result
    assert.deepEqual(noted(order), upTo(100))
  })

  test('WQ-36: is cancelled with all that follow it when one is not done', async () => {
    for (const way of ['fails', 'dies', 'is cancelled', 'was cancelled'] as const) {
      await using queue = make({ maxWorkers: 1 })
      const [begun, gate, ran] = [word(), word(), word()]
      const held = queue.enqueue('awaited', [begun, gate])
      await reaches(begun, 1)
      const head =
        way === 'fails' ? queue.enqueue('fail', ['own']) : queue.enqueue('exit', [3], { key: 'k' })
      if (way === 'was cancelled') head.cancel()
      const follow = [queue.enqueue('count', [ran], { after: [held, head] })]
      follow.push(queue.enqueue('count', [ran], { after: follow[0] as never, key: 'k' }))
      follow.push(queue.enqueue('count', [ran], { after: [follow[1], held] as never }))
      const other = queue.enqueue('count', [ran], { after: held, key: 'k' })
      if (way === 'is cancelled') assert.equal(head.cancel(), 'canceled')
      open(gate)
      const error = await failureOf(head.result)
      assert.equal(
        error.code,
        { fails: 'E_OWN', dies: 'ERR_WORKER_EXITED' }[way as 'dies'] ?? 'ECANCELED',
      )
      const ends = await Promise.all(follow.map(({ result }) => failureOf(result)))
      assert.deepEqual(
        ends.map(({ code }: Coded) => code),
        ['ECANCELED', 'ECANCELED', 'ECANCELED'],
        way,
      )
      assert.equal(await other.result, 1)
      assert.equal(queue.stats().unsettled, 0)
    }
  })

  test('WQ-36: may be cancelled while it waits, and then holds up nobody', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, ran] = [word(), word(), word()]
    const held = queue.enqueue('awaited', [begun, gate])
    const waiting = queue.enqueue('count', [ran], { after: held, key: 'k' })
    const behind = queue.enqueue('count', [ran], { after: waiting })
    assert.equal(await queue.run('count', [ran], { key: 'k', unbounded: true }), 1)
    assert.equal(waiting.cancel(), 'canceled')
    open(gate)
    for (const work of [waiting, behind]) {
      assert.equal((await failureOf(work.result)).code, 'ECANCELED')
    }
    await held.result
    assert.equal(await queue.run('count', [ran], { key: 'k' }), 2)
  })
})
