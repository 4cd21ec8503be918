import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Histogram, type HistogramSnapshot } from './histogram.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const of = (durations: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const ms of durations) histogram.record(ms)
  return histogram
}

const quantiles = [
  ['p50Ms', 0.5],
  ['p90Ms', 0.9],
  ['p99Ms', 0.99],
  ['p999Ms', 0.999],
] as const

/** A microsecond is what the buckets begin with. */
const assertNear = (actual: number, exact: number, what: string): void => {
  const off = Math.abs(actual - exact)
  assert.ok(off <= exact / 31.99 || off <= 0.001, `${what}: ${actual}, exactly ${exact}`)
}

const assertExact = (snapshot: HistogramSnapshot, durations: readonly number[]): void => {
  const sorted = Float64Array.from(durations).sort()
  const sum = durations.reduce((all, each) => all + each, 0)
  assert.equal(snapshot.count, durations.length)
  assert.equal(snapshot.minMs, sorted[0])
  assert.equal(snapshot.maxMs, sorted.at(-1))
  assertNear(snapshot.meanMs, sum / durations.length, 'mean')
  for (const [name, share] of quantiles) {
    const rank = Math.ceil(Number((durations.length * share).toFixed(6)))
    assertNear(snapshot[name], sorted[rank - 1] ?? NaN, name)
  }
}

/** Spread evenly over the powers of ten, from below 1 µs to a day. */
const duration = fc
  .double({ min: -4, max: 7.9, noNaN: true })
  .map((power) => (power < -3.9 ? 0 : 10 ** power))
const durations = fc.array(duration, { minLength: 1, maxLength: 2000, size: 'max' })

describe('a histogram', () => {
  test('has quantiles within 3.1 %, or a microsecond, of the exact ones', () => {
    fc.assert(
      fc.property(durations, (list) => assertExact(of(list).snapshot(), list)),
      { numRuns: 200, examples: [[[1, 0]], [[1, 0.000_97]], [[2 ** 31, 1]]] },
    )
  })

  test('merged with another is the histogram of both', () => {
    fc.assert(
      fc.property(durations, durations, (some, others) => {
        const merged = of(some)
        merged.merge(of(others))
        assertExact(merged.snapshot(), [...some, ...others])
      }),
      { numRuns: 50 },
    )
  })

  test('is all zero when empty, before anything is recorded and after a reset', () => {
    const zero = { count: 0, minMs: 0, maxMs: 0, meanMs: 0 }
    const empty = { ...zero, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0 }
    const used = of([1, 2, 3])
    used.reset()
    const merged = new Histogram()
    merged.merge(used)
    for (const each of [new Histogram(), used, merged]) assert.deepEqual(each.snapshot(), empty)
    used.record(7)
    assertExact(used.snapshot(), [7])
  })

  test('tells a single duration exactly', () => {
    for (const ms of [0, 0.0004, 0.001, 1, 1.05, 3_600_000, 2 ** 31]) {
      const { p50Ms, p999Ms, minMs, maxMs, meanMs } = of([ms]).snapshot()
      assert.deepEqual([p50Ms, p999Ms, minMs, maxMs, meanMs], [ms, ms, ms, ms, ms])
    }
  })

  test('takes what no clock should give: less than nothing, nothing at all, beyond any timer', () => {
    const { count, minMs, maxMs, p50Ms } = of([-1, NaN, -0, 2 ** 40]).snapshot()
    assert.deepEqual([count, minMs, maxMs], [4, 0, 2 ** 40])
    assert.ok(p50Ms < 0.002)
  })
})
