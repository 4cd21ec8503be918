/**
 * The blocks with the arguments of works, by the slots of the works.
 *
 * @module
 */
import {
  ArgumentArena,
  write,
  writePlace,
  type Announce,
  type ClassMemory,
  type Packed,
} from '../ring/index.js'

export class SlotBlocks {
  readonly #arena: ArgumentArena
  /** Of each slot's block the chunk, or -1, the place and the length. */
  readonly #chunkOf: Int32Array
  readonly #atOf: Int32Array
  readonly #bytesOf: Int32Array

  constructor(announce: Announce, slots: number) {
    this.#chunkOf = new Int32Array(slots).fill(-1)
    this.#atOf = new Int32Array(slots)
    this.#bytesOf = new Int32Array(slots)
    this.#arena = new ArgumentArena(announce)
  }

  /** The blocks' memory, for a worker that comes later. */
  get chunks(): ArgumentArena['chunks'] {
    return this.#arena.chunks
  }

  /** Writes arguments to a block of the slot. False: there is no room now. */
  write(packed: Packed, memory: ClassMemory, slot: number): boolean {
    const { byteLength } = packed
    if (!this.#arena.take(byteLength)) return false
    const { chunk, at, bytes } = this.#arena
    write(packed, bytes, at)
    writePlace(memory, slot, chunk, at, byteLength)
    this.#chunkOf[slot] = chunk
    this.#atOf[slot] = at
    this.#bytesOf[slot] = byteLength
    return true
  }

  /** The slot's work has ended, and its block is free, if it had one. */
  give(slot: number): void {
    const chunk = this.#chunkOf[slot] as number
    if (chunk < 0) return
    this.#arena.give(chunk, this.#atOf[slot] as number, this.#bytesOf[slot] as number)
    this.#chunkOf[slot] = -1
  }
}
