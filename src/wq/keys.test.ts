import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { meeting, word } from './contract/support.fixture.js'
import { aWhile, make, noted, open, reaches, untilSync, upTo } from './gated-queue.fixture.js'

checkForLeaks()

const classes = { bounded: 2, unbounded: 2 }

describe('keys', () => {
  test('WQ-30: are exact values, compared as by a Map', async () => {
    const object = {}
    const other = [
      [1, '1'],
      [{}, {}],
      [Symbol('s'), Symbol('s')],
      [1n, 1],
      [null, 'null'],
      [0, false],
      [NaN, 'NaN'],
    ]
    const same = [
      [NaN, Number.NaN],
      [0, -0],
      [object, object],
      ['ab', ['a', 'b'].join('')],
      [10n ** 20n, 10n ** 20n],
    ]
    await using queue = make({ maxWorkers: 2 })
    for (const [index, [one, two]] of [...other, ...same].entries()) {
      const isSame = index >= other.length
      const [begun, gate, ran] = [word(), word(), word()]
      const held = queue.run('awaited', [begun, gate], { key: one })
      await reaches(begun, 1)
      const next = queue.run('count', [ran], { key: two })
      if (!isSame) await next
      assert.equal(ran[0], isSame ? 0 : 1)
      open(gate)
      await Promise.all([held, next])
    }
  })

  test('WQ-31: are for the submitter to choose: works without one run together', async () => {
    await using queue = make({ maxWorkers: 3 })
    const here = word()
    await Promise.all(upTo(3).map(() => queue.run('rendezvous', [here, 3])))
    const { now, most, order } = meeting(0)
    const key = 'file'
    await Promise.all(
      upTo(6).map((mark) => queue.run('meet', [{ now, most, order }, mark, 5], { key })),
    )
    assert.equal(most[0], 1)
  })

  test('WQ-13, INV-IOWQ-8: a work goes behind the last of its key', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, order] = [word(), word(), word(20)]
    const held = queue.run('held', [begun, gate])
    await reaches(begun, 1)
    const submitted = ['k', '', 'l', 'k', '', 'k', 'l', '']
    const works = submitted.map((key, mark) =>
      queue.run('note', [order, mark], key === '' ? {} : { key }),
    )
    open(gate)
    await Promise.all([held, ...works])
    assert.deepEqual(noted(order), [0, 3, 5, 1, 2, 6, 4, 7])
  })

  test('WQ-32: works behind a busy key are passed by as a whole, however many', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, ran] = [word(), word(), word()]
    const held = queue.run('held', [begun, gate], { key: 'busy' })
    await reaches(begun, 1)
    const behind = upTo(5000).map(() => queue.run('count', [ran], { key: 'busy' }))
    const order = word(101)
    const others = upTo(100).map((mark) =>
      queue.run('note', [order, mark], mark % 2 === 0 ? {} : { key: 'other' }),
    )
    await Promise.all(others)
    assert.deepEqual([ran[0], order[0]], [0, 100])
    open(gate)
    await Promise.all([held, ...behind])
    assert.equal(ran[0], 5000)
  })

  test('WQ-33: a chain runs to its end while the thread of its owner is held', async () => {
    for (const unbounded of [false, true]) {
      await using queue = make({ maxWorkers: classes })
      await queue.run('nothing', [], { unbounded })
      const order = word(1001)
      const works = upTo(1000).map((mark) =>
        queue.run('note', [order, mark], { key: 'k', unbounded }),
      )
      // Nothing of this thread's event loop runs here.
      Atomics.wait(word(), 0, 0, 100)
      untilSync(() => Atomics.load(order, 0) === 1000)
      await Promise.all(works)
      assert.deepEqual(noted(order), upTo(1000))
    }
  })

  test('WQ-33: many chains, and works without a key between, do so too', async () => {
    await using queue = make({ maxWorkers: 2 })
    await Promise.all([queue.run('nothing'), queue.run('nothing')])
    const [ran, orders] = [word(), upTo(10).map(() => word(101))]
    const works = upTo(1000).flatMap((mark) => [
      queue.run('note', [orders[mark % 10] as Int32Array, Math.floor(mark / 10)], {
        key: mark % 10,
      }),
      queue.run('count', [ran]),
    ])
    untilSync(() => ran[0] === 1000 && orders.every((order) => order[0] === 100))
    await Promise.all(works)
    for (const order of orders) assert.deepEqual(noted(order), upTo(100))
  })

  test('WQ-33: what is submitted while a chain runs goes on with it', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, order] = [word(), word(), word(10)]
    const works: Promise<unknown>[] = [queue.run('awaited', [begun, gate], { key: 'k' })]
    works.push(queue.run('note', [order, 1], { key: 'k' }))
    await reaches(begun, 1)
    works.push(queue.run('note', [order, 2], { key: 'k' }))
    await queue.run('nothing')
    works.push(queue.run('note', [order, 3], { key: 'k' }))
    open(gate)
    await Promise.all(works)
    assert.deepEqual(noted(order), [1, 2, 3])
  })

  test('WQ-34, WQ-35: the end of a work makes the next of its key run, in any class', async () => {
    await using queue = make({ maxWorkers: classes })
    for (let round = 0; round < 10; round++) {
      const [begun, gate, order] = [word(), word(), word(10)]
      const works: Promise<unknown>[] = [queue.run('awaited', [begun, gate], { key: 'k' })]
      for (const mark of upTo(4)) {
        works.push(queue.run('note', [order, mark], { key: 'k', unbounded: mark % 2 === 0 }))
      }
      await reaches(begun, 1)
      // Everybody else has gone to sleep, now and then.
      if (round % 5 === 0) await aWhile()
      open(gate)
      await Promise.all(works)
      assert.deepEqual(noted(order), upTo(4))
    }
  })

  test('WQ-37: hold over both classes of a queue', async () => {
    await using queue = make({ maxWorkers: classes })
    const seen = meeting(200)
    const works = upTo(200).map((mark) =>
      queue.run('meet', [seen, mark, mark % 20 === 0 ? 2 : 0], {
        key: 'k',
        unbounded: mark % 3 === 0 || mark > 150,
      }),
    )
    await Promise.all(works)
    assert.deepEqual([seen.most[0], noted(seen.order)], [1, upTo(200)])
  })

  test('INV-IOWQ-7: a busy key holds up no other work', async () => {
    await using queue = make({ maxWorkers: 4 })
    const gates = upTo(3).map(() => word())
    const [begun, ran] = [word(), word()]
    const held = gates.flatMap((gate, key) =>
      upTo(50).map(() => queue.run('held', [begun, gate], { key })),
    )
    await reaches(begun, 3)
    for (const key of ['a', 'b', undefined]) await queue.run('count', [ran], { key })
    assert.deepEqual([begun[0], ran[0], queue.workers().length], [3, 3, 4])
    for (const gate of gates) open(gate)
    await Promise.all(held)
  })

  test('INV-IOWQ-9: with two keys and works without one there is always progress', async () => {
    await using queue = make({ maxWorkers: classes })
    const ran = word()
    const works: Promise<unknown>[] = []
    for (let mark = 0; mark < 3000; mark++) {
      const key = [undefined, 'a', 'b', 'a'][mark % 4]
      works.push(queue.run('count', [ran], { key, unbounded: mark % 5 === 0 }))
      if (mark % 50 === 49) await works[mark - (mark % 7)]
      if (mark % 100 === 99) {
        const expected = mark + 1
        await until(`${expected} have run`, () => Atomics.load(ran, 0) === expected)
      }
    }
    await Promise.all(works)
    assert.equal(ran[0], 3000)
  })

  test('INV-IOWQ-10: the end of a work without a key frees no key', async () => {
    await using queue = make({ maxWorkers: 2 })
    for (const key of [0, null, false, '']) {
      const [begun, gate, ran] = [word(), word(), word()]
      const held = queue.run('held', [begun, gate], { key })
      await reaches(begun, 1)
      const behind = queue.enqueue('count', [ran], { key })
      await Promise.all(upTo(300).map(() => queue.run('nothing')))
      assert.deepEqual([behind.state, ran[0]], ['pending', 0])
      open(gate)
      await Promise.all([held, behind.result])
    }
  })

  test('who stands behind cancelled works runs, though a worker is on its way to the first of them', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const [begun, gate, urgent, urgentGate, ran] = [word(), word(), word(), word(), word()]
    const first = queue.run('held', [begun, gate], { key: 'k' })
    await reaches(begun, 1)
    const next = queue.enqueue('count', [ran], { key: 'k' })
    const more = queue.enqueue('count', [ran], { key: 'k' })
    // The other class: neither this one nor what follows it is hung on to the chain.
    const other = queue.enqueue('count', [ran], { key: 'k', unbounded: true })
    const last = queue.enqueue('note', [word(3), 7], { key: 'k' })
    const between = queue.run('held', [urgent, urgentGate], { priority: 'high' })
    // The worker reads that `next` is the next, and takes the urgent work before it.
    open(gate)
    untilSync(() => Atomics.load(urgent, 0) === 1)
    const gone = new Set<unknown>([next, more, other])
    assert.equal(queue.cancel((work) => gone.has(work), { all: true }).canceled, 3)
    open(urgentGate)
    await Promise.all([first, between, last.result])
    assert.equal(ran[0], 0)
  })
})
