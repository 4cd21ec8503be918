/**
 * Who waits for whose end: the graph in which a stop that could never finish shows as a cycle
 * (KT-18).
 *
 * A worker that waits for another's end writes the other's number into a free `JOINS` word of its
 * own row, then follows the numbers from there. If the way leads back to itself, neither would ever
 * end. Of two that close a cycle at the same time, each writes before it reads, so at least one sees
 * the whole cycle. The words of a row are written by its own thread alone; when that ends they go
 * with the row, and numbers are never given twice, so an old one leads nowhere.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { at, claimedRows, Field, joinSlots, writtenRow } from './table.js'

/** A wait for a worker's end, as others see it. */
export interface Join {
  /** The worker's end came, or the wait was given up. */
  end(): void
}

/** A wait that nobody else sees. */
export const unseen: Join = { end: () => {} }

/**
 * Enters a wait of this thread's worker for another's end.
 *
 * @returns null where it would close a cycle: then nothing is entered
 */
export function beginJoin(words: Words, target: number, row: number = writtenRow()): Join | null {
  // The main thread, and raw threads, are nobody's workers: nobody can wait for their end. A raw
  // one that a worker made ends with the worker, whatever it waits for.
  if (row === 0) return unseen
  const slot = freeSlot(words, row)
  // A worker that waits for more than four others at a time is not looked through.
  if (slot === null) return unseen
  memory.store(words, slot, target)
  if (!leadsTo(words, target, memory.load(words, at(row, Field.ID)))) {
    return { end: () => memory.store(words, slot, 0) }
  }
  memory.store(words, slot, 0)
  return null
}

function freeSlot(words: Words, row: number): number | null {
  for (let slot = 0; slot < joinSlots; slot++) {
    const index = at(row, Field.JOINS + slot)
    if (memory.load(words, index) === 0) return index
  }
  return null
}

/** Whether the worker numbered `from` waits, at some remove, for the one numbered `to`. */
function leadsTo(words: Words, from: number, to: number): boolean {
  const seen = new Set<number>()
  const open = [from]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true
    if (seen.has(id)) continue
    seen.add(id)
    const row = claimedRows(words).find((each) => memory.load(words, at(each, Field.ID)) === id)
    if (row === undefined) continue
    for (let slot = 0; slot < joinSlots; slot++) {
      const next = memory.load(words, at(row, Field.JOINS + slot))
      if (next !== 0) open.push(next)
    }
  }
  return false
}
