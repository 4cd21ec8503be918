/**
 * A worker's completion ring: what the worker tells the owner, in order. The worker is the only
 * writer, the owner the only reader.
 *
 * It is the quick way to what happened, not the authority: that is the state word of each slot.
 * Whoever dies before the tail moves leaves a slot that says DONE and names its seat, and the owner
 * finds it there.
 *
 * The ring cannot overflow. A work has at most one WANT, one TURN and one DONE, and its slot is
 * filled again only after the owner has read them.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { slotMask, slotBits, slots } from './layout.js'

/** What an entry says of its slot. */
export const Entry = {
  /** The work has ended: its result is in the slot. */
  DONE: 0,
  /**
   * The work's key is free, and the worker does not go on with it: the owner must make it ready, or
   * forget it if it was withdrawn.
   */
  TURN: 1,
  /** The worker has claimed the work, and waits for its arguments, which must come by message. */
  WANT: 2,
} as const

const entries = 4 * slots
const entryMask = entries - 1
/** Two bits say what; the rest is the slot and as much of its generation as there is room for. */
const whatShift = 30
const generationMask = (2 ** (whatShift - slotBits) - 1) << slotBits

/** How many entries the worker has added, on the worker's cache line. */
const TAIL = 0
/** Of the worker's works, how many are inside a call that blocks; on the same line. */
const BLOCKED = 1
/** How many entries the owner has read, on a line of its own. */
const HEAD = 16
const first = 32

/** New memory for a worker's completions. */
export function allocateCompletions(): Words {
  return memory.allocate(first + entries)
}

/** Worker: adds an entry and shows it. */
export class Completions {
  readonly #words: Words
  #tail = 0

  constructor(words: Words) {
    this.#words = words
  }

  push(what: number, slot: number, generation: number): void {
    const tail = this.#tail
    this.#words[first + (tail & entryMask)] =
      (what << whatShift) | (generation & generationMask) | slot
    this.#tail = (tail + 1) | 0
    // The release: whoever reads this tail sees the entry, and what it tells of.
    memory.store(this.#words, TAIL, this.#tail)
  }

  /** How many were added so far, modulo 2^32. */
  get pushed(): number {
    return this.#tail
  }

  /** How many the owner has read, likewise: what they told of may be overwritten. */
  reaped(): number {
    return memory.load(this.#words, HEAD)
  }
}

/** Worker: another of its works has entered a call that blocks (`by` 1), or has left it (-1). */
export function block(words: Words, by: 1 | -1): void {
  memory.add(words, BLOCKED, by)
}

/** Owner: whether the worker is inside a call that blocks (WQ-20). */
export function isBlocked(words: Words): boolean {
  return memory.load(words, BLOCKED) > 0
}

/** What the owner does with an entry. */
export type Hear = (what: number, slot: number) => void

/** Owner: reads entries. */
export class Reaper {
  readonly #words: Words
  readonly #hear: Hear
  readonly #generation: (slot: number) => number
  #head = 0
  #isReaping = false
  /** Whether somebody asked for more while an entry was heard. */
  #isAsked = false

  /** `generation` tells what is in a slot now: an entry about what was there before is passed over. */
  constructor(words: Words, generation: (slot: number) => number, hear: Hear) {
    this.#words = words
    this.#generation = generation
    this.#hear = hear
  }

  get isEmpty(): boolean {
    return memory.load(this.#words, TAIL) === this.#head
  }

  /**
   * Hears every entry that is there. Who hears one may call this again: what has come meanwhile is
   * heard after it, so that results are taken in their order, and no block is given back while it is
   * read.
   */
  reap(): boolean {
    if (this.#isReaping) {
      this.#isAsked = true
      return false
    }
    if (this.isEmpty) return false
    this.#isReaping = true
    try {
      do {
        this.#isAsked = false
        this.#hearUntil(memory.load(this.#words, TAIL))
      } while (this.#isAsked)
    } finally {
      this.#isReaping = false
    }
    return true
  }

  #hearUntil(tail: number): void {
    while (this.#head !== tail) {
      const entry = this.#words[first + (this.#head & entryMask)] as number
      this.#head = (this.#head + 1) | 0
      const slot = entry & slotMask
      const generation = this.#generation(slot) & generationMask
      if ((entry & generationMask) === generation) this.#hear(entry >>> whatShift, slot)
    }
    memory.store(this.#words, HEAD, tail)
  }
}
