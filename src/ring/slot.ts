/**
 * The state of a slot, and the only steps that change it.
 *
 * | kind      | holds                                | left by                                     |
 * | --------- | ------------------------------------ | ------------------------------------------- |
 * | FREE      | nothing                              | owner: `fill`                               |
 * | READY     | a work that any worker may take      | worker: `claim`; owner: `withdraw`          |
 * | LINKED    | a work behind another one of its key | worker: `claim`; owner: `withdraw`, `unlock` |
 * | CLAIMED   | a work that the seat in it runs      | worker: `done`; owner, after its end: `fill` |
 * | DONE      | the work's result                    | owner: `fill`, when it has read the result  |
 * | WITHDRAWN | a work that will not run             | owner: `fill`                               |
 *
 * A claim and a withdrawal are one compare-and-swap on this word each, so that exactly one of them
 * happens (WQ-44, BUG-IOWQ-6). The word also names the claimer's seat from the instant of the claim:
 * when a thread is terminated, whatever it had claimed is found by its seat (INV-IOWQ-4). The
 * generation counts how often the slot was filled: a stale look at a slot claims nothing.
 *
 * NEXT is the chain of a key: OPEN, or CLOSED, or the slot of the next work of that key, plus one.
 * The owner hangs a work on with a compare-and-swap from OPEN. The worker takes the word with a swap
 * when the handler has ended, *before* it says DONE: from then on nobody can hang on to a chain
 * whose end was read. After DONE the slot may be filled again, and the worker does not touch it.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { Slot, slotBits, slotMask, slotOf } from './layout.js'

export const Kind = { FREE: 0, READY: 1, LINKED: 2, CLAIMED: 3, DONE: 4, WITHDRAWN: 5 } as const

const kindMask = 7
const seatShift = 3
const seatMask = 1023
/** Kind and seat fit where a cell has the slot's number: so both have the generation in the same place. */
const generationMask = ~slotMask

const OPEN = 0
const CLOSED = -1

export const kindOf = (state: number): number => state & kindMask
export const seatOf = (state: number): number => (state >>> seatShift) & seatMask

/** Whether a worker has claimed the work, and the owner has not read its end. */
export const isTaken = (state: number): boolean =>
  kindOf(state) === Kind.CLAIMED || kindOf(state) === Kind.DONE

/** The generation in a state word or a cell, as it stands there. */
export const generationOf = (word: number): number => word & generationMask

/** The generation behind this one. */
export const nextGeneration = (word: number): number => generationOf(word) + (1 << slotBits)

export const stateOf = (words: Words, slot: number): number =>
  memory.load(words, slotOf(slot) + Slot.STATE)

/** Owner: fills a slot, whose other words it has written before. */
export function fill(words: Words, slot: number, kind: number, generation: number): void {
  memory.store(words, slotOf(slot) + Slot.STATE, generation | kind)
}

/** Worker: takes a work that it has seen in this state, READY or LINKED. False: somebody was first. */
export function claim(words: Words, slot: number, seen: number, seat: number): boolean {
  const claimed = generationOf(seen) | (seat << seatShift) | Kind.CLAIMED
  return memory.replace(words, slotOf(slot) + Slot.STATE, seen, claimed)
}

/** Worker: the result is written. */
export function done(words: Words, slot: number, generation: number, seat: number): void {
  memory.store(words, slotOf(slot) + Slot.STATE, generation | (seat << seatShift) | Kind.DONE)
}

/** Owner: takes back a work that nobody has claimed. False: it runs, or has run. */
export function withdraw(words: Words, slot: number): boolean {
  for (;;) {
    const state = stateOf(words, slot)
    const kind = kindOf(state)
    if (kind !== Kind.READY && kind !== Kind.LINKED) return false
    const withdrawn = generationOf(state) | Kind.WITHDRAWN
    if (memory.replace(words, slotOf(slot) + Slot.STATE, state, withdrawn)) return true
  }
}

/** Owner: its key is free, any worker may take it. False: it is not waiting for its key any more. */
export function unlock(words: Words, slot: number): boolean {
  const state = stateOf(words, slot)
  if (kindOf(state) !== Kind.LINKED) return false
  const ready = generationOf(state) | Kind.READY
  return memory.replace(words, slotOf(slot) + Slot.STATE, state, ready)
}

/** Owner: opens the chain of a slot that is being filled. */
export function openChain(words: Words, slot: number): void {
  memory.store(words, slotOf(slot) + Slot.NEXT, OPEN)
}

/** Owner: hangs a LINKED slot on the last of its key. False: that one's handler has ended. */
export function hang(words: Words, last: number, slot: number): boolean {
  return memory.replace(words, slotOf(last) + Slot.NEXT, OPEN, slot + 1)
}

/** Owner: takes it off again. False: a worker has read that it is the next, and comes to it. */
export function unhang(words: Words, before: number, slot: number): boolean {
  return memory.replace(words, slotOf(before) + Slot.NEXT, slot + 1, OPEN)
}

/** Worker: the handler has ended. Gives the next work of its key, or -1; nobody hangs on any more. */
export function closeChain(words: Words, slot: number): number {
  const next = memory.swap(words, slotOf(slot) + Slot.NEXT, CLOSED)
  return next === CLOSED ? -1 : next - 1
}

/** Owner: the work that runs is to end. Synchronous code sees it at its next checkpoint. */
export function tell(words: Words, slot: number): void {
  memory.store(words, slotOf(slot) + Slot.TOLD, 1)
}
