/**
 * The submission rings of a class: one for each level. The owner's thread is the only one that puts
 * works in; the class's workers take them out, one at a time, with nothing between them and the next
 * work but one compare-and-swap. There is no queue for each worker, so no work waits behind a slow
 * one while another worker is free, and workers go on while the owner is busy.
 *
 * A ring holds numbers of slots. Its head is only a hint: it says that no cell before it leads to a
 * work that is ready, which stays true because a cell is written after its slot became ready, and a
 * slot never becomes ready twice in one generation. So whoever dies between a claim and the moving
 * of the head leaves nothing undone.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { cellOf, cells, headOf, levels, slotMask, slotsIn, tailOf } from './layout.js'
import { claim, generationOf, Kind, nextGeneration, stateOf } from './slot.js'

/** The owner's end. */
export class Submission {
  readonly #words: Words
  /** Last in, first out: the slots used last are still in the processor's cache. */
  readonly #free: Int32Array
  #freeCount: number
  readonly #generations: Int32Array
  readonly #tails = new Int32Array(levels.length)
  #used = 0

  constructor(words: Words) {
    const slots = slotsIn(words)
    this.#words = words
    this.#free = new Int32Array(slots)
    this.#freeCount = slots
    this.#generations = new Int32Array(slots)
    for (let slot = 0; slot < slots; slot++) this.#free[slot] = slots - 1 - slot
  }

  /** No slot from this number on was ever filled. */
  get highest(): number {
    return this.#used
  }

  /** Takes a free slot, to be filled. -1: there is none. */
  acquire(): number {
    if (this.#freeCount === 0) return -1
    const slot = this.#free[--this.#freeCount] as number
    if (slot >= this.#used) this.#used = slot + 1
    this.#generations[slot] = nextGeneration(this.#generations[slot] as number)
    return slot
  }

  /** Gives a slot back that nobody else refers to any more. */
  release(slot: number): void {
    this.#free[this.#freeCount++] = slot
  }

  /** The generation of what is in the slot, as in its state word. */
  generation(slot: number): number {
    return this.#generations[slot] as number
  }

  /** Whether a level's ring can take another cell. */
  hasCell(level: number): boolean {
    const tail = this.#tails[level] as number
    const head = headOf(level)
    if (((tail - memory.load(this.#words, head)) | 0) < cells) return true
    // Full: of works, or of cells of cancelled ones that no worker has come by to pass.
    return ((tail - passDead(this.#words, level, tail)) | 0) < cells
  }

  /** Shows a slot that has just become READY to the workers. */
  publish(slot: number, level: number): void {
    const tail = this.#tails[level] as number
    this.#words[cellOf(level, tail)] = (this.#generations[slot] as number) | slot
    this.#tails[level] = (tail + 1) | 0
    // The release: whoever reads this tail sees the cell, the state, and the work.
    memory.store(this.#words, tailOf(level), (tail + 1) | 0)
  }
}

/** Moves the head over cells that lead to no ready work, and gives it. */
function passDead(words: Words, level: number, tail: number): number {
  const head = memory.load(words, headOf(level))
  let position = head
  while (position !== tail && !isReady(words, words[cellOf(level, position)] as number)) {
    position = (position + 1) | 0
  }
  memory.replace(words, headOf(level), head, position)
  return position
}

function isReady(words: Words, cell: number): boolean {
  return stateOf(words, cell & slotMask) === (generationOf(cell) | Kind.READY)
}

/** Worker: takes the next work of a level. -1: none is ready. */
export function takeNext(words: Words, level: number, seat: number): number {
  const head = memory.load(words, headOf(level))
  const tail = memory.load(words, tailOf(level))
  for (let position = head; position !== tail; position = (position + 1) | 0) {
    // If the owner has lapped us here, this is a later work: the claim decides by its own state.
    const cell = words[cellOf(level, position)] as number
    const slot = cell & slotMask
    const ready = generationOf(cell) | Kind.READY
    if (stateOf(words, slot) !== ready || !claim(words, slot, ready, seat)) continue
    memory.replace(words, headOf(level), head, (position + 1) | 0)
    return slot
  }
  if (head !== tail) memory.replace(words, headOf(level), head, tail)
  return -1
}

/** Whether a level might have a work that is ready: a quick look, which may be wrong to the yes. */
export function mayHave(words: Words, level: number): boolean {
  return memory.load(words, headOf(level)) !== memory.load(words, tailOf(level))
}
