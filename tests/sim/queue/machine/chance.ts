/**
 * Chance by a seed: the same seed, the same numbers.
 *
 * @module
 */

/** A whole number from 0 up to, not including, its argument. */
export type Below = (limit: number) => number

/** Weyl's sequence, each number of it mixed by the finish of MurmurHash3. */
export function chanceOf(seed: number): Below {
  let state = seed | 0
  return (limit) => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return Math.floor((((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32) * limit)
  }
}
