/**
 * How a worker goes along the chains of keys (WQ-33, WQ-35).
 *
 * When a work with a key has ended, the next one of that key is free to run. The same worker goes on
 * with it, so that a chain wakes nobody, and drains while the owner is busy. After so many works of a
 * chain, or when something more urgent is ready, others come in between: then the next one is offered
 * to the owner, who makes it ready for anybody, and kept in mind here, for an owner who is busy.
 * Whoever of the two claims it first has it.
 *
 * @module
 */
import type { Words } from '#memory'
import {
  claim,
  Entry,
  generationOf,
  Kind,
  kindOf,
  mayHave,
  stateOf,
  type Completions,
} from '../ring/index.js'

/** So many works of a chain in a row, while others wait. */
const mostInRow = 16

export class Chains {
  readonly #words: Words
  readonly #seat: number
  readonly #completions: Completions
  /** Slots that were offered, each with its state then. */
  readonly #offered: number[] = []
  #inRow = 0
  /** The next work of the chain that goes on here, claimed; -1: none. */
  #next = -1

  constructor(words: Words, seat: number, completions: Completions) {
    this.#words = words
    this.#seat = seat
    this.#completions = completions
  }

  get hasOffered(): boolean {
    return this.#offered.length > 0
  }

  /** The work that the chain goes on with; -1: none. It is told once. */
  next(): number {
    const next = this.#next
    this.#next = -1
    return next
  }

  /** Claims a work that was offered, unless the owner was first. -1: there is none. */
  takeOffered(): number {
    while (this.#offered.length > 0) {
      const [slot, state] = this.#offered.splice(0, 2) as [number, number]
      if (claim(this.#words, slot, state, this.#seat)) return slot
    }
    return -1
  }

  /**
   * A work has ended.
   *
   * @param slot - the next of its key, as `closeChain` gave it; -1: there is none
   */
  ended(slot: number, isLeaving: boolean): void {
    if (slot < 0) {
      this.#inRow = 0
      return
    }
    // Nobody fills this slot anew before it was claimed, or its turn was told.
    const state = stateOf(this.#words, slot)
    const isWaiting = kindOf(state) === Kind.LINKED
    if (isWaiting && !isLeaving && this.#goesOn() && this.#claim(slot, state)) {
      this.#inRow++
      this.#next = slot
      return
    }
    this.#inRow = 0
    if (isWaiting) this.#offered.push(slot, state)
    this.#completions.push(Entry.TURN, slot, generationOf(state))
  }

  #claim(slot: number, state: number): boolean {
    return claim(this.#words, slot, state, this.#seat)
  }

  #goesOn(): boolean {
    if (this.#next >= 0 || mayHave(this.#words, 0)) return false
    return this.#inRow < mostInRow || !(mayHave(this.#words, 1) || mayHave(this.#words, 2))
  }
}
