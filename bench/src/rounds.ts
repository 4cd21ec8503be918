/**
 * Rounds of child processes: in each round every side of a measure runs once, in a fresh process,
 * and in the opposite order of the round before; so that a machine that gets slower or faster does
 * so for all.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measure, Samples } from './measure.js'

/** How slow half of the samples are, and how slow all but one in a hundred. */
export interface Spread {
  p50: number
  p99: number
}

/** The spread of each round, by `side.timed`. */
export type Rounds = ReadonlyMap<string, readonly Spread[]>

/** The slowest side takes a few seconds. */
const childDeadlineMs = 120_000
/** More than the samples of any side need. */
const mostOutputBytes = 2 ** 24

const script = fileURLToPath(new URL('sample.js', import.meta.url))
const run = promisify(execFile)

/** Runs all sides, so many times. */
export async function runRounds(
  bench: string,
  measure: Measure,
  rounds: number,
  quick: boolean,
): Promise<Rounds> {
  const spreads = new Map<string, Spread[]>()
  const count = quick ? measure.quickCount : measure.count
  const sides = Object.keys(measure.sides)
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const samples = await sampleInChild([bench, measure.name, side, String(count)])
      for (const [timed, values] of Object.entries(samples)) {
        const key = `${side}.${timed}`
        spreads.set(key, [...(spreads.get(key) ?? []), spreadOf(values)])
      }
    }
  }
  return spreads
}

async function sampleInChild(args: string[]): Promise<Samples> {
  const { stdout } = await run(process.execPath, [script, ...args], {
    timeout: childDeadlineMs,
    maxBuffer: mostOutputBytes,
  })
  return JSON.parse(stdout) as Samples
}

/** The values at these ranks; of few samples the p99 is the slowest. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const rank = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN
  return { p50: rank(0.5), p99: rank(0.99) }
}
