import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, withAllWorkers, word } from './contract/support.fixture.js'
import { aWhile, make, noted, open, reaches, untilSync, upTo } from './gated-queue.fixture.js'
import { until } from '../os/own-thread.fixture.js'

checkForLeaks()

describe('a work that is submitted', () => {
  test('WQ-11: is bounded unless its submitter says unbounded', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 2 } })
    const [begun, gate] = [word(), word()]
    const works = [{}, { unbounded: false }, { unbounded: true }].map((options) =>
      queue.enqueue('awaited', [begun, gate], options),
    )
    await reaches(begun, 3)
    const classes = queue.workers().map((worker) => [worker.class, worker.work?.id])
    assert.deepEqual(
      classes.sort((one, other) => Number(one[1]) - Number(other[1])),
      [
        ['bounded', 1],
        ['bounded', 2],
        ['unbounded', 3],
      ],
    )
    assert.deepEqual(
      works.map(({ unbounded }) => unbounded),
      [false, false, true],
    )
    open(gate)
    await Promise.all(works.map(({ result }) => result))
  })

  test('WQ-12: is refused at once by a queue that closes, with what follows it', async () => {
    const queue = make({ maxWorkers: 1 })
    const [begun, gate, ran] = [word(), word(), word()]
    const held = queue.run('awaited', [begun, gate])
    await reaches(begun, 1)
    const closing = queue.close()
    const refused = queue.enqueue('count', [ran])
    assert.equal(refused.state, 'canceled', 'in the same step')
    const others = [
      queue.enqueue('count', [ran], { after: refused }),
      queue.enqueue('count', [ran], { unbounded: true, key: 'k' }),
    ]
    for (const work of [refused, ...others]) {
      assert.equal((await failureOf(work.result)).code, 'ECANCELED')
    }
    open(gate)
    await held
    await closing
    assert.equal((await failureOf(queue.run('count', [ran]))).code, 'ECANCELED')
    assert.deepEqual([ran[0], queue.workers().length], [0, 0])
  })

  test('WQ-14: wakes a worker that sleeps rather than make one', async () => {
    await using queue = make({ maxWorkers: 4 })
    await withAllWorkers(queue, { bounded: 2 })
    const [first, second] = queue.workers().map(({ name }) => name)
    for (let round = 0; round < 10; round++) {
      const [begun, gate] = [word(), word()]
      // Long enough, now and then, for both to sleep in their event loops.
      if (round % 3 === 0) await aWhile()
      const held = queue.run('held', [begun, gate])
      await reaches(begun, 1)
      const busy = queue.workers().filter(({ state }) => state === 'busy')
      assert.ok(busy.length === 1 && [first, second].includes(busy[0]?.name))
      await queue.run('nothing')
      open(gate)
      await held
    }
    assert.deepEqual(
      queue.workers().map(({ name }) => name),
      [first, second],
    )
  })

  test('WQ-18: is taken in the order of submission, also from beyond the ring', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, order] = [word(), word(), word(20_001)]
    const held = queue.run('held', [begun, gate])
    const works = upTo(20_000).map((mark) => queue.run('note', [order, mark]))
    open(gate)
    await Promise.all([held, ...works])
    assert.deepEqual(noted(order), upTo(20_000))
  })

  test('INV-IOWQ-18: does not hold up its submitter, however many there are', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, ran] = [word(), word(), word()]
    const held = queue.run('held', [begun, gate])
    await reaches(begun, 1)
    // The gate is opened by this thread: were it held up, this test would not end.
    const works = upTo(30_000).map((mark) =>
      queue.run('count', [ran], mark % 3 === 0 ? { key: mark % 2 } : {}),
    )
    assert.deepEqual([queue.stats().unsettled, ran[0]], [30_001, 0])
    open(gate)
    await Promise.all([held, ...works])
    assert.equal(ran[0], 30_000)
  })

  test('WQ-14: runs while its submitter holds its thread, also where all slept', async () => {
    await using queue = make({ maxWorkers: 2 })
    await withAllWorkers(queue, { bounded: 2, unbounded: 1 })
    for (const unbounded of [false, true]) {
      for (const pause of [0, 60]) {
        await new Promise((resolve) => setTimeout(resolve, pause))
        const ran = word()
        const works = upTo(200).map(() => queue.run('count', [ran], { unbounded }))
        untilSync(() => Atomics.load(ran, 0) === 200)
        await Promise.all(works)
      }
    }
  })
})

test('two queues know nothing of each other: keys, limits, cancels, ends', async () => {
  const queues = [make({ maxWorkers: 1 }), make({ maxWorkers: 1 })] as const
  const [one, other] = queues
  const [begun, gate, ran] = [word(), word(), word()]
  const held = one.run('held', [begun, gate], { key: 'k' })
  const work = one.enqueue('count', [ran], { key: 'k' })
  await reaches(begun, 1)
  assert.equal(await other.run('count', [ran], { key: 'k' }), 1)
  assert.deepEqual(other.cancel(work as never), { outcome: 'not-found', canceled: 0, running: 0 })
  assert.equal(other.cancel(() => true, { all: true }).outcome, 'not-found')
  await other.close()
  assert.deepEqual([work.state, one.workers().length], ['pending', 1])
  open(gate)
  await held
  assert.equal(await work.result, 2)
  await one.close()
})

test('a timer that is not to keep its thread alive goes on in an idle worker', async () => {
  await using queue = make({ maxWorkers: 1 })
  const [beats, ran] = [word(), word()]
  await queue.run('beat', [beats])
  await until('it has gone on for a second', () => Atomics.load(beats, 0) >= 20)
  // A work in between breaks nothing.
  await queue.run('count', [ran])
  const before = Atomics.load(beats, 0)
  await until('it goes on', () => Atomics.load(beats, 0) >= before + 10)
})
