/**
 * Chance that can be had again.
 *
 * @module
 */
import { codeIn, dist } from '../model/catalogue.js'

type Random = typeof import('../../src/os/random.js')

const { freshSeed: fresh, seeded } = (await codeIn(dist)('os/random.js')) as Random

/** `CHAOS_SEED`, or a new one. */
export function freshSeed(): number {
  const given = process.env['CHAOS_SEED']
  return given === undefined ? fresh() : Number(given)
}

/** Gives a whole number from 0 up to, but not including, its argument. */
export function diceOf(seed: number): (below: number) => number {
  return seeded(seed)
}
