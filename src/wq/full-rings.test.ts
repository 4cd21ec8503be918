import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, word } from './contract/support.fixture.js'
import { make, open, reaches } from './gated-queue.fixture.js'

checkForLeaks()

/** More than a ring has cells, and more than it has slots. */
const many = 20_000

describe('rings that are full', () => {
  test('of cancelled works lose none that waits for room, or whose key is freed then [WQ-33]', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, ran] = [word(), word(), word()]
    const held = queue.run('held', [begun, gate])
    await reaches(begun, 1)
    // Nobody passes the cells behind this one before a worker takes it.
    const first = queue.run('count', [ran])
    const before = queue.enqueue('count', [ran], { key: 'k' })
    const behind = queue.run('count', [ran], { key: 'k' })
    const other = queue.enqueue('count', [ran], { key: 'other' })
    const behindOther = queue.enqueue('count', [ran], { key: 'other' })
    const failures = [before, other, behindOther].map(({ result }) => failureOf(result))
    for (let count = 0; count < many; count++) {
      const work = queue.enqueue('count', [ran])
      failures.push(failureOf(work.result))
      assert.equal(work.cancel(), 'canceled')
    }
    const late = queue.run('count', [ran])
    for (const work of [before, other, behindOther]) assert.equal(work.cancel(), 'canceled')
    open(gate)
    const counts = await Promise.all([first, behind, late, queue.run('count', [ran])])
    assert.deepEqual(counts.toSorted(), [1, 2, 3, 4])
    await held
    assert.ok((await Promise.all(failures)).every(({ code }) => code === 'ECANCELED'))
  })

  test('take works with keys as room comes, each once, and those of a key in order [WQ-33]', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, order] = [word(), word(), word(many + 1)]
    const held = queue.run('held', [begun, gate])
    await reaches(begun, 1)
    const works = Array.from({ length: many }, (_, mark) =>
      queue.run('note', [order, mark], { key: mark % (many / 2) }),
    )
    open(gate)
    await Promise.all([held, ...works])
    const marks = Array.from(order.subarray(1))
    assert.deepEqual(new Set(marks).size, many)
    const places = new Int32Array(many)
    for (const [place, mark] of marks.entries()) places[mark] = place
    for (let mark = 0; mark < many / 2; mark++)
      assert.ok((places[mark] as number) < (places[mark + many / 2] as number), `key ${mark}`)
  })
})
