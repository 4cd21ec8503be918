import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { nextTurn } from '../os/clock.js'
import { mapOver } from './map.js'
import { noted, numbers, Works } from './map.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

describe('a map over inputs', () => {
  test('gives all results: in order, or as they finish; never more works at once than allowed', async () => {
    const shape = fc.record({
      delays: fc.array(fc.nat(4), { maxLength: 40 }),
      concurrency: fc.integer({ min: 1, max: 8 }),
      ordered: fc.boolean(),
      lazy: fc.boolean(),
      consumer: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ delays, concurrency, ordered, lazy, consumer }) => {
        let [running, held, most] = [0, 0, 0]
        const finished: number[] = []
        const run = async (index: number): Promise<number> => {
          most = Math.max(most, ++held)
          running++
          for (let turn = delays[index] ?? 0; turn > 0; turn--) await nextTurn()
          running--
          finished.push(index)
          return index
        }
        async function* later(): AsyncGenerator<number> {
          for (const each of delays.keys()) {
            await nextTurn()
            yield each
          }
        }
        const inputs = lazy ? later() : delays.keys()
        const seen: number[] = []
        for await (const index of mapOver(run, inputs, { concurrency, ordered })) {
          seen.push(index)
          held--
          for (let turn = consumer; turn > 0; turn--) await nextTurn()
        }
        assert.deepEqual(seen, ordered ? [...delays.keys()] : finished)
        assert.equal(running, 0)
        // One more than allowed: a result is counted here a moment after it was taken.
        assert.ok(most <= concurrency + 1, `${most} at once`)
      }),
      { numRuns: 100 },
    )
  })

  test('pulls no input before it is asked, and later only when a result was taken', async () => {
    for (const kind of ['sync', 'async'] as const) {
      const works = new Works()
      const { inputs, log } = noted(10, kind)
      const results = mapOver(works.run, inputs, { concurrency: 3 })
      await nextTurn()
      assert.deepEqual(log, [])
      const first = results.next()
      await nextTurn()
      assert.deepEqual([log.length, works.started], [3, [0, 1, 2]])
      await works.finish(2, 1)
      assert.equal(log.length, 3, 'results that nobody took hold their places')
      await works.finish(0)
      assert.deepEqual(await first, { done: false, value: 'r0' })
      await nextTurn()
      assert.deepEqual(works.started, [0, 1, 2, 3])
      assert.equal((await results.next()).value, 'r1')
      await nextTurn()
      assert.deepEqual(works.started, [0, 1, 2, 3, 4])
      await results.return?.()
      assert.equal(log.at(-1), 'return')
    }
  })

  test('asks slow inputs for one input at a time', async () => {
    let asked = 0
    const inputs = {
      [Symbol.asyncIterator]: () => ({
        next: async (): Promise<IteratorResult<number>> => {
          assert.equal(++asked, 1)
          await nextTurn()
          asked--
          return { done: false, value: 1 }
        },
      }),
    }
    let seen = 0
    for await (const one of mapOver(async (input) => input, inputs, { concurrency: 4 })) {
      if ((seen += one) === 20) break
    }
  })

  test('serves any number of calls of next at once', async () => {
    const results = mapOver(async (input: number) => input, numbers(5), { concurrency: 2 })
    const all = await Promise.all(numbers(7).map(() => results.next()))
    assert.deepEqual(
      all.map(({ done, value }) => (done === true ? 'done' : value)),
      [0, 1, 2, 3, 4, 'done', 'done'],
    )
  })

  test('takes 100,000 inputs in little time', async () => {
    for (const ordered of [true, false]) {
      let sum = 0
      const results = mapOver(async (input: number) => input, numbers(100_000), {
        concurrency: 1000,
        ordered,
      })
      const begun = process.cpuUsage()
      for await (const each of results) sum += each
      assert.equal(sum, 4_999_950_000)
      // 0.1 to 0.2 s measured; ten times that if each step took time by the length of the line. What
      // the machine did meanwhile does not count.
      assert.ok(process.cpuUsage(begun).user < 10e6)
    }
  })

  test('refuses wrong arguments at once', () => {
    const inputs = numbers(1)
    const run = async (): Promise<void> => {}
    for (const wrong of [
      () => mapOver(run, inputs, { concurrency: 0 }),
      () => mapOver(run, inputs, { concurrency: 1.5 }),
      () => mapOver(run, inputs, { concurrency: 1, ordered: 1 as never }),
      () => mapOver(run, inputs, { concurrency: 1, signal: {} as never }),
      () => mapOver(run, inputs, { concurrency: 1, order: true } as never),
      () => mapOver(run, 7 as never, { concurrency: 1 }),
      () => mapOver(run, null as never, { concurrency: 1 }),
    ])
      assert.throws(wrong, { name: 'TypeError', code: 'EINVAL' })
  })
})
