/**
 * The shared words of one class of works: where each lies. `docs/internals/memory.md` lists who
 * writes and reads each, and in which order.
 *
 * One buffer of fixed length for each class (growable ones are ten times slower, measured):
 *
 * ```text
 * lines   for each level: TAIL, HEAD, each on a cache line of its own; COMING
 * asleep  one bit for each seat
 * cells   for each level a ring of numbers of slots, in the order in which works became ready
 * slots   one cache line for each work that is in the ring
 * ```
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'

/** From the first to be served to the last. */
export const levels = ['high', 'normal', 'low'] as const

/** How urgent a work is. */
export type Level = (typeof levels)[number]

/** A cache line: 64 bytes. */
const line = 16

/** Works in the ring at once, whether they wait, run, or are finished and not yet reaped. */
export const slotBits = 14
export const slots: number = 2 ** slotBits
export const slotMask: number = slots - 1

/** Cells of a level's ring. Dead cells, of works that were cancelled, take room until passed. */
export const cells = 16_384
const cellMask = cells - 1

/** Workers of a class: each has a seat, from the birth of its thread to its end. */
export const seats = 1024

/** The index of the count of workers that are being made. */
export const coming: number = 2 * levels.length * line

const asleepAt = coming + line
const cellsAt = asleepAt + seats / 32
const slotsAt = cellsAt + levels.length * cells

/** The words of a slot. */
export const Slot = {
  /** Kind, seat and generation: see `slot.ts`. */
  STATE: 0,
  /** The chain of its key: see `slot.ts`. */
  NEXT: 1,
  /** 1 once the work was told to end. */
  TOLD: 2,
  /** The number of its handler's name (12 bits), and the upper 20 bits of the work's number. */
  NAME: 3,
  /** The lower 32 bits of the work's number in its queue. */
  ID: 4,
  /** What the payload is: see `payload.ts`. The arguments first, the result later. */
  FORMAT: 5,
  /** 8 words: small values themselves, or where the block with the values is. */
  PAYLOAD: 6,
  /** When its handler was called, in microseconds of the process's clock, modulo 2^32; 0 before. */
  BEGAN: 14,
  /** When it ended, likewise; before, the number of its context, where FORMAT says CONTEXT. */
  ENDED: 15,
} as const

/** The bytes of values that fit into a slot. */
export const payloadBytes = 32

/** The index of a level's tail: cells before it are written. */
export const tailOf = (level: number): number => 2 * level * line

/** The index of a level's head: no cell before it leads to a work that is ready. */
export const headOf = (level: number): number => (2 * level + 1) * line

/** The index of the cell at a position of a level's ring. */
export const cellOf = (level: number, position: number): number =>
  cellsAt + level * cells + (position & cellMask)

/** The index of a slot's first word. */
export const slotOf = (slot: number): number => slotsAt + slot * line

/** The index of the word with a seat's bit in the mask of sleepers. */
export const asleepOf = (seat: number): number => asleepAt + (seat >>> 5)

/** The shared memory of a class, seen as words, numbers and bytes. */
export interface ClassMemory {
  readonly words: Words
  readonly floats: Float64Array
  readonly bytes: Buffer
}

/**
 * New memory for a class; nothing of it takes room before it is touched.
 *
 * @param count - how many slots; fewer are for tests
 */
export function allocateClass(count: number = slots): ClassMemory {
  return viewsOf(memory.allocate(slotsAt + count * line))
}

/** How many slots a class has. */
export const slotsIn = (words: Words): number => (words.length - slotsAt) / line

/** The other views of words that came from another thread. */
export function viewsOf(words: Words): ClassMemory {
  return { words, floats: new Float64Array(words.buffer), bytes: Buffer.from(words.buffer) }
}
