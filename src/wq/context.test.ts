import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, word } from './contract/support.fixture.js'
import { make, open, reaches, upTo } from './gated-queue.fixture.js'

checkForLeaks()

const single = { maxWorkers: { bounded: 1, unbounded: 1 } }

describe('what a work sees of the works before it on its worker', () => {
  test('WQ-19, INV-IOWQ-15: nothing of a cancel at the end of its work', async () => {
    await using queue = make(single)
    let running = 0
    for (let round = 0; round < 400; round++) {
      const unbounded = round % 2 === 0
      const first = queue.enqueue('count', [word()], { unbounded })
      const next = queue.enqueue('wasTold', [], { unbounded })
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (round % 3 === 1) for (let spin = 0; spin < round * 20; spin++) void spin
      if (first.cancel() === 'running') running++
      assert.equal(await next.result, false)
      await first.result.catch(() => {})
    }
    assert.ok(running > 0, 'some were told while they ran')
  })

  test('INV-IOWQ-15: nothing of a cancel that the work before it has seen', async () => {
    await using queue = make(single)
    for (const unbounded of [false, true]) {
      const begun = word()
      const told = queue.enqueue('untilAborted', [begun], { unbounded })
      await reaches(begun, 1)
      assert.equal(told.cancel(), 'running')
      const next = queue.enqueue('wasTold', [], { unbounded })
      assert.deepEqual([await told.result, await next.result], ['ECANCELED', false])
    }
  })

  test('INV-IOWQ-17: current() is its own work, also in timers that outlive it', async () => {
    await using queue = make(single)
    const [gate, seen] = [word(), upTo(5).map(() => word())]
    const ids = await Promise.all(seen.map((each) => queue.run('askLater', [each, gate])))
    assert.equal(new Set(ids).size, 5)
    const [begun, end] = [word(), word()]
    const other = queue.run('awaited', [begun, end])
    await reaches(begun, 1)
    open(gate)
    await until('all timers have asked', () => seen.every(([id]) => id !== 0))
    assert.deepEqual(
      seen.map(([id]) => id),
      ids,
    )
    open(end)
    await other
  })

  test('INV-IOWQ-17: nothing of arguments: each has those of its submission', async () => {
    await using queue = make(single)
    const [begun, gate] = [word(), word()]
    const held = queue.run('held', [begun, gate])
    const list = [0]
    const works = upTo(300).map((mark) => {
      list[0] = mark
      return queue.run('echo', [{ list, mark }], mark % 3 === 0 ? { key: 'k' } : {})
    })
    list[0] = -1
    open(gate)
    const results = await Promise.all(works)
    await held
    assert.deepEqual(
      results,
      upTo(300).map((mark) => ({ list: [mark], mark })),
    )
  })

  test('INV-IOWQ-17: nothing of results, of 16 that await on one thread', async () => {
    await using queue = make({ maxWorkers: { unbounded: 1 } })
    const works = upTo(600).map((mark) =>
      queue
        .run('echoOrThrow', [mark, mark % 5], { unbounded: true })
        .catch((error: Error) => error),
    )
    for (const [mark, end] of (await Promise.all(works)).entries()) {
      const text = end instanceof Error ? end.message : end
      assert.equal(text, `${mark % 2 === 0 ? 'thrown' : 'given'} ${mark}`)
    }
  })

  test('INV-IOWQ-17: nothing of their number: the first and the thousandth are alike', async () => {
    await using queue = make(single)
    const about = async (): Promise<unknown> => {
      const error = await failureOf(queue.run('fail', ['own']))
      return [await queue.run('wasTold'), error.code, error.message, Object.keys(error)]
    }
    const first = await about()
    for (let round = 0; round < 1000; round++) void queue.run('count', [word()], { key: round % 3 })
    assert.deepEqual(await about(), first)
  })
})
