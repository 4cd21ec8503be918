/**
 * What the samples and the account of a soak come to.
 *
 * @module
 */
import type { Sample } from './measures.js'
import type { Account } from './program.js'

/** The greatest growth, in percent. */
const limitPercent = 2
/** Of the samples, the first part, which is left out: pools fill, code is compiled. */
const warmUp = 0.2
/** So many rests it takes until memory has settled, however slow the machine: see `soak.md`. */
const restsOfMemory = 5
/** Memory of a shorter soak has not settled: its growth is shown, and not judged. */
export const leastMsForMemory: number = 4 * 60_000

const memory = new Set(['rss', 'heap', 'external', 'arrayBuffers', 'mappings'])

/** A measure: the medians of its first and its last quarter behind the warm-up. */
export interface Growth {
  readonly measure: string
  readonly first: number
  readonly last: number
  readonly growthPercent: number
  readonly limitPercent: number
  readonly judged: boolean
  /** Of all samples, those left out too. */
  readonly values: readonly number[]
}

/** All that is printed. */
export interface Report extends Account {
  readonly seed: number
  readonly minutes: number
  readonly samples: number
  readonly submitted: number
  readonly growth: readonly Growth[]
  /** The greatest of those that are judged; 0 where nothing has grown. */
  readonly growthPercent: number
  readonly skipped: readonly string[]
  /** Everything that makes it fail, in sentences. */
  readonly complaints: readonly string[]
}

/** How a measure has grown. */
export function growthOf(measure: string, values: readonly number[], judged: boolean): Growth {
  const restless = memory.has(measure) ? restsOfMemory : 0
  const leftOut = Math.max(values.length * warmUp, Math.min(restless, values.length / 2))
  const settled = values.slice(Math.floor(leftOut))
  const quarter = Math.max(1, Math.floor(settled.length / 4))
  const first = median(settled.slice(0, quarter))
  const last = median(settled.slice(-quarter))
  const growthPercent = first === last ? 0 : first === 0 ? 100 : (100 * (last - first)) / first
  return { measure, first, last, growthPercent, limitPercent, judged, values }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
}

/** What was heard of a soak. */
export interface Heard {
  readonly seed: number
  readonly ms: number
  readonly samples: readonly Sample[]
  /** Null: it has ended without one. */
  readonly account: Account | null
  readonly skipped: readonly string[]
  /** How it ended, if not by itself, with its last words. */
  readonly ending: string | null
}

/** Judges it. */
export function reportOf({ seed, ms, samples, account, skipped, ending }: Heard): Report {
  const found = account ?? { works: {}, lost: 0, duplicated: 0, wrong: 0, notes: [] }
  const measures = Object.keys(samples[0] ?? {}) as (keyof Sample)[]
  const growth = measures.map((measure) => {
    const judged = ms >= leastMsForMemory || !memory.has(measure)
    const values = samples.map((sample) => sample[measure])
    return growthOf(measure, values, judged)
  })
  const complaints = growth
    .filter((each) => each.judged && each.growthPercent > limitPercent)
    .map(({ measure, first, last }) => `${measure} has grown from ${first} to ${last}`)
  for (const what of ['lost', 'duplicated', 'wrong'] as const)
    if (found[what] > 0) complaints.push(`${found[what]} ${what}`)
  if (account === null) complaints.push('it has ended without an account')
  if (ending !== null) complaints.push(ending)
  if (samples.length < 4) complaints.push(`there are only ${samples.length} samples`)
  return {
    ...found,
    seed,
    minutes: ms / 60_000,
    samples: samples.length,
    submitted: Object.values(found.works).reduce((sum, count) => sum + count, 0),
    growth,
    growthPercent: Math.max(
      0,
      ...growth.filter(({ judged }) => judged).map((each) => each.growthPercent),
    ),
    skipped,
    complaints,
  }
}
