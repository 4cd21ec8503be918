import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { WorkOptions } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { word } from './contract/support.fixture.js'
import { make, noted, open, reaches, upTo } from './gated-queue.fixture.js'

checkForLeaks()

/** The mark of the work that is looked for. */
const urgent = -1

describe('a work of high priority', () => {
  const keys: [string, (mark: number) => WorkOptions, WorkOptions][] = [
    ['works without a key', () => ({}), {}],
    ['works of one key, without a key itself', () => ({ key: 'k' }), {}],
    ['works of one key, with a key of its own', () => ({ key: 'k' }), { key: 'own' }],
    ['works of 10 keys, with a key of its own', (mark) => ({ key: mark % 10 }), { key: 'own' }],
    ['works of 4,000 keys, without a key', (mark) => ({ key: mark }), {}],
    ['works of low priority', () => ({ priority: 'low' }), {}],
  ]
  for (const [which, options, own] of keys) {
    test(`begins before the end of workers + 1 others of 4,000 that wait: ${which}`, async () => {
      for (const workers of [1, 2]) {
        await using queue = make({ maxWorkers: workers })
        const [begun, gate, order] = [word(), word(), word(4002)]
        const held = upTo(workers).map(() => queue.run('held', [begun, gate]))
        await reaches(begun, workers)
        const works = upTo(4000).map((mark) => queue.run('note', [order, mark], options(mark)))
        works.push(queue.run('note', [order, urgent], { ...own, priority: 'high' }))
        open(gate)
        await Promise.all([...held, ...works])
        const place = noted(order).indexOf(urgent)
        assert.ok(place >= 0 && place <= workers, `${place} others came first`)
      }
    })
  }

  test('begins soon also when it comes while the others run', async () => {
    for (const options of [{}, { key: 'k' }]) {
      await using queue = make({ maxWorkers: 1 })
      const [begun, gates, order] = [word(), [word(), word()] as const, word(4002)]
      const works: Promise<unknown>[] = [queue.run('held', [begun, gates[0]], options)]
      works.push(...upTo(100).map((mark) => queue.run('note', [order, mark], options)))
      works.push(queue.run('held', [begun, gates[1]], options))
      works.push(...upTo(3900).map((mark) => queue.run('note', [order, 100 + mark], options)))
      await reaches(begun, 1)
      open(gates[0])
      // Now the worker is in the middle of them.
      await reaches(begun, 2)
      works.push(queue.run('note', [order, urgent], { priority: 'high', key: 'own' }))
      open(gates[1])
      await Promise.all(works)
      const others = noted(order).indexOf(urgent) - 100
      assert.ok(others >= 0 && others <= 1, `${others} others came first`)
    }
  })

  test('WQ-18: the levels go before the order of submission', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, gate, order] = [word(), word(), word(301)]
    const held = queue.run('held', [begun, gate])
    await reaches(begun, 1)
    const levels = ['low', 'normal', 'high'] as const
    const works = upTo(300).map((mark) =>
      queue.run('note', [order, mark], { priority: levels[mark % 3] ?? 'normal' }),
    )
    open(gate)
    await Promise.all([held, ...works])
    const inLevel = (level: number): number[] => upTo(300).filter((mark) => mark % 3 === level)
    assert.deepEqual(noted(order), [...inLevel(2), ...inLevel(1), ...inLevel(0)])
  })
})
