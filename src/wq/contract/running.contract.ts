import assert from 'node:assert/strict'
import type { WorkQueue } from '../../index.js'
import { type Make, type Coded, word, meeting, failureOf, test } from './support.fixture.js'

/** What the contract says about running. */
export function runningContract(make: Make): void {
  test('a work resolves with what its handler returned, or resolved to', async () => {
    await using queue = make()
    assert.equal(await queue.run('add', [1, 2]), 3)
    assert.equal(await queue.run('sleep', [1]), 1)
    assert.equal(await queue.run('nothing'), undefined)
  })

  test('INV-IOWQ-4: each of 2,000 works runs exactly once', async () => {
    await using queue = make({ maxWorkers: 2 })
    const counter = word()
    const results = await Promise.all(
      Array.from({ length: 2000 }, () => queue.run('count', [counter])),
    )
    assert.equal(counter[0], 2000)
    assert.equal(new Set(results).size, 2000)
  })

  test('WQ-18: with one worker, works without a key run in the order of their submission', async () => {
    await using queue = make({ maxWorkers: 1 })
    const { order, ...rest } = meeting(100)
    await Promise.all(
      Array.from({ length: 100 }, (_, mark) => queue.run('meet', [{ ...rest, order }, mark, 0])),
    )
    assert.deepEqual(
      Array.from(order.slice(1)),
      Array.from({ length: 100 }, (_, mark) => mark),
    )
  })

  test('INV-IOWQ-18: enqueue returns at once with a handle that shows where the work is', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, begun] = [word(), word()]
    await queue.run('nothing')
    const first = queue.enqueue('waitFor', [gate], { key: 'k' })
    const second = queue.enqueue('count', [begun], { unbounded: false })
    assert.deepEqual(
      [first.name, first.key, first.unbounded, second.key],
      ['waitFor', 'k', false, undefined],
    )
    assert.ok(first.id < second.id)
    assert.equal(second.state, 'pending')
    Atomics.store(gate, 0, 5)
    assert.equal(await first.result, 5)
    assert.equal(first.state, 'done')
    await second.result
    assert.equal(second.state, 'done')
  })

  test('a handler knows its work, also behind its awaits, and works do not see each other', async () => {
    await using queue = make({ maxWorkers: 2 })
    const works = Array.from({ length: 20 }, (_, index) =>
      queue.enqueue('identity', [index % 5], index % 2 ? { key: `key ${index}` } : {}),
    )
    for (const work of works)
      assert.deepEqual(await work.result, { name: 'identity', id: work.id, key: work.key })
  })

  test('a wrong argument is refused at once with a TypeError that says what would be right', async () => {
    await using queue = make()
    const loose = queue as unknown as WorkQueue
    const wrong: [() => unknown, RegExp][] = [
      [() => loose.enqueue(7 as never), /name must be a string.*not 7/],
      [() => loose.enqueue('add', 3 as never), /arguments of 'add' must be an array/],
      [() => loose.enqueue('add', [], { kee: 1 } as never), /no option 'kee'.*key, unbounded/],
      [
        () => loose.enqueue('add', [], { signal: {} } as never),
        /signal of 'add' must be an AbortSignal/,
      ],
      [
        () => loose.enqueue('add', [], { unbounded: 'yes' } as never),
        /'unbounded' of 'add' must be true or false/,
      ],
      [() => loose.enqueue('add', null as never), /arguments of 'add' must be an array, not null/],
      [() => make({ maxWorkers: '2' as never }), /must be a number, or an object such as/],
      [() => make({ argv: 'abc' as never }), /argv must be an array of strings/],
      [() => make({ resourceLimits: { nope: 1 } as never }), /no option 'nope'/],
      [() => make({ maxWorkers: 0 }), /maxWorkers.bounded must be a whole number from 1/],
      [() => make({ maxWorkers: { unbound: 1 } as never }), /no option 'unbound'/],
      [() => make({ nmae: 'x' } as never), /no option 'nmae'/],
      [() => make({}, './relative.js'), /new URL\('\.\/worker\.js', import\.meta\.url\)/],
      [() => make({ closeDeadlineMs: -1 }), /closeDeadlineMs must be a number of milliseconds/],
    ]
    for (const [act, message] of wrong) {
      assert.throws(
        act,
        (error: Coded) =>
          error instanceof TypeError && error.code === 'EINVAL' && message.test(error.message),
      )
    }
    const rejected = await failureOf(loose.run('add', 3 as never))
    assert.equal(rejected.code, 'EINVAL')
  })
}
