import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { meeting, word } from './contract/support.fixture.js'
import { make, open, reaches, upTo } from './gated-queue.fixture.js'

checkForLeaks()

describe('the two classes of works', () => {
  const both = [
    ['INV-IOWQ-16: any number of unbounded works that block leaves bounded ones alone', true],
    ['INV-IOWQ-16: any number of bounded works that block leaves unbounded ones alone', false],
  ] as const
  for (const [title, stuck] of both) {
    test(title, async () => {
      await using queue = make({ maxWorkers: { bounded: 2, unbounded: 2 } })
      const [begun, gate, ran] = [word(), word(), word()]
      const held = upTo(40).map((mark) =>
        queue.run(mark % 2 === 0 ? 'held' : 'blocked', [begun, gate], { unbounded: stuck }),
      )
      await reaches(begun, 2)
      const others = upTo(100).map((mark) =>
        queue.run('count', [ran], {
          unbounded: !stuck,
          ...(mark % 3 === 0 ? { key: 'k' } : {}),
        }),
      )
      await Promise.all(others)
      assert.deepEqual([ran[0], begun[0]], [100, 2])
      open(gate)
      await Promise.all(held)
    })
  }

  test('INV-IOWQ-14: a worker has its class for life, within the maximum', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 4 }, idleTimeoutMs: 10 })
    const [bounded, unbounded] = [meeting(0), meeting(0)]
    const classes = new Map<string, string>()
    const works = upTo(200).map(async (mark) => {
      const isUnbounded = mark % 4 !== 0
      const seen = isUnbounded ? unbounded : bounded
      await queue.run('meet', [seen, mark, mark % 3], { unbounded: isUnbounded })
      for (const worker of queue.workers()) {
        assert.equal(classes.get(worker.name) ?? worker.class, worker.class)
        classes.set(worker.name, worker.class)
      }
    })
    await Promise.all(works)
    assert.equal(bounded.most[0], 1)
    assert.equal([...classes.values()].filter((each) => each === 'bounded').length, 1)
  })
})
