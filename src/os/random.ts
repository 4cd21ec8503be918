/**
 * The door to chance: the only file of the library that asks for random numbers. A run is repeated
 * by giving its seed again.
 *
 * @module
 */
import { randomInt } from 'node:crypto'

/** A new seed from the system: a whole number from 0 to 2^32 - 1. */
export function freshSeed(): number {
  return randomInt(2 ** 32)
}

/**
 * A generator of whole numbers from 0 up to, but not including, its argument. The same seed gives
 * the same numbers (Mulberry32: 32 bits of state, for tests and schedules, not for secrets).
 */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
