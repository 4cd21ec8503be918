/**
 * The limits of owners: how many workers there may be below one, and how much heap each of them may
 * have (UW-8, UW-9).
 *
 * Nothing is counted up or down: a count is the number of claimed rows, so it is right also after a
 * thread was terminated with workers of its own. A claim comes first, then the look at the limits
 * above it; a row that is one too many is given back before there is a thread for it. Of several
 * claims at the same time each sees those before it, so that never more are admitted than the limit
 * says (INV-UW-1).
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { at, claimOwner, claim, Field, lineOf, releaseTree, workersBelow } from './table.js'

/** The values of an owner's limits; Infinity: no limit. */
export interface OwnerLimits {
  /**
   * The most workers that there may be below the owner at a time, those of its queues and of its
   * workers included: from 1 to 4,095, or Infinity.
   */
  workers?: number
  /**
   * The most that the V8 heap of each worker below may have, in MB: from 4 to 2^20, or Infinity.
   * Memory outside of the heap (buffers) is not limited by it. It holds for child processes (`isolation`) too.
   */
  heapMb?: number
}

/** What became of a claim below limits. */
export type Admission =
  | { readonly row: number; readonly full: null }
  /** The row of the owner whose limit is reached; nothing was claimed. */
  | { readonly row: null; readonly full: number }

/**
 * Two that claim the last place at the same time may both give it back; each tries again so often,
 * as long as there is another who does the same.
 */
const usualTries = 64

/**
 * Claims a row for a worker below `parent`, if the limits of the owners above allow one more.
 *
 * @throws UserWorkerError EAGAIN when all rows of the table are taken
 */
export function claimWithin(words: Words, parent: number, tries: number = usualTries): Admission {
  for (let attempt = 1; ; attempt++) {
    const row = claim(words, parent)
    const full = fullAbove(words, row)
    if (full === null) {
      memory.store(words, at(row, Field.ADMITTED), 1)
      return { row, full: null }
    }
    const isContested = attempt < tries && hasRival(words, full, row)
    releaseTree(words, row)
    if (!isContested) return { row: null, full }
  }
}

/** Of these rows, those of owners with a limit, and how many more workers each allows. */
function* roomsOf(
  words: Words,
  owners: readonly number[],
): Iterable<{ readonly owner: number; readonly room: number }> {
  for (const owner of owners) {
    const limit = memory.load(words, at(owner, Field.LIMIT))
    if (limit > 0) yield { owner, room: limit - countBelow(words, owner) }
  }
}

/** The nearest owner above a row whose limit is exceeded; null: none. */
export function fullAbove(words: Words, row: number): number | null {
  const above = lineOf(words, row).slice(1)
  for (const { owner, room } of roomsOf(words, above)) if (room < 0) return owner
  return null
}

/** The nearest owner, from a row upwards, that has as many workers as its limit allows. */
export function fullOwnerOf(words: Words, row: number): number | null {
  for (const { owner, room } of roomsOf(words, lineOf(words, row))) if (room <= 0) return owner
  return null
}

/** Whether another claim below an owner is not decided yet. */
function hasRival(words: Words, owner: number, row: number): boolean {
  return workersBelow(words, owner).some(
    (each) => each !== row && memory.load(words, at(each, Field.ADMITTED)) === 0,
  )
}

/** How many workers there are below a row, spares included. */
function countBelow(words: Words, row: number): number {
  return workersBelow(words, row).length
}

/** How many more workers the limits allow below a row, that of the row itself included. */
export function roomBelow(words: Words, row: number): number {
  let least = Infinity
  for (const { room } of roomsOf(words, lineOf(words, row))) least = Math.min(least, room)
  return least
}

/** The least of the heap limits of a row and those above it, in MB; Infinity: none. */
export function heapLimitOf(words: Words, row: number): number {
  const limits = lineOf(words, row).map((each) => memory.load(words, at(each, Field.HEAP_MB)))
  return Math.min(Infinity, ...limits.filter((limit) => limit > 0))
}

/** An owner's own limits. */
export function limitsOf(words: Words, row: number): Required<OwnerLimits> {
  return {
    workers: memory.load(words, at(row, Field.LIMIT)) || Infinity,
    heapMb: memory.load(words, at(row, Field.HEAP_MB)) || Infinity,
  }
}

/** Sets an owner's own limits; what is left out stays. They hold for workers made from now on. */
export function setLimits(words: Words, row: number, { workers, heapMb }: OwnerLimits): void {
  const word = (limit: number): number => (limit === Infinity ? 0 : limit)
  if (workers !== undefined) memory.store(words, at(row, Field.LIMIT), word(workers))
  if (heapMb !== undefined) memory.store(words, at(row, Field.HEAP_MB), word(heapMb))
}

/** Claims a row for an owner, with its limits. @throws UserWorkerError EAGAIN: no row is free */
export function claimLimited(words: Words, parent: number, limits: OwnerLimits): number {
  const row = claimOwner(words, parent)
  setLimits(words, row, limits)
  return row
}
