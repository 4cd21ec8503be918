/**
 * Blocks of shared bytes for values that do not fit into a slot. Each side writes into chunks of its
 * own and tells the other of a new chunk once, by message; so a block is only a chunk's number, an
 * offset and a length.
 *
 * The owner's blocks hold arguments. It frees one when it has read that the work has ended, so no
 * word is shared for it. A worker's blocks hold results, in the order of its completions; how far
 * the owner has read those is how far they may be overwritten.
 *
 * @module
 */
import type { Completions } from './completion.js'

/** Memory of blocks. */
export interface Chunk {
  readonly number: number
  readonly bytes: Buffer
}

/**
 * Tells the other side of a chunk, before anything in it is referred to; null: nothing will be any
 * more.
 */
export type Announce = (number: number, buffer: SharedArrayBuffer | null) => void

/** The smallest block: a cache line. */
const smallest = 64
const smallestShift = 6
/** Chunks of small blocks; a greater block gets a chunk of its own. */
const chunkBytes = 2 ** 20
/** The greatest block: more goes by message. */
export const mostBlockBytes: number = 2 ** 23

/** Arguments take at most this much of a class's memory; further works wait until some is free. */
const mostBytes = 2 ** 26

/** The owner's blocks, in sizes of powers of two. */
export class ArgumentArena {
  readonly #chunks = new Map<number, Chunk>()
  readonly #announce: Announce
  #numbers = 0
  /** Blocks that were taken and not given back. */
  #out = 0
  /** Free blocks of each size, as chunk and offset in turns. */
  #free: number[][] = []
  #current: Chunk | null = null
  #used = 0
  #total = 0
  /** Where the block given last lies. */
  chunk = 0
  at = 0

  constructor(announce: Announce) {
    this.#announce = announce
  }

  /** The memory of the chunk with the block given last. */
  get bytes(): Buffer {
    return (this.#chunks.get(this.chunk) as Chunk).bytes
  }

  get chunks(): Iterable<Chunk> {
    return this.#chunks.values()
  }

  /**
   * Takes a block; {@link chunk} and {@link at} say where it is.
   *
   * @returns false: there is no room until another block is freed
   */
  take(bytes: number): boolean {
    const size = sizeOf(bytes)
    if (!this.#take(size)) {
      if (this.#out > 0) return false
      // All room is in blocks of other sizes, and none of them is in use.
      this.#giveUpChunks()
      if (!this.#take(size)) return false
    }
    this.#out++
    return true
  }

  #take(size: number): boolean {
    const free = this.#free[size]
    if (free !== undefined && free.length > 0) {
      this.at = free.pop() as number
      this.chunk = free.pop() as number
      return true
    }
    const room = smallest << size
    if (room > chunkBytes / 4) return this.#takeAlone(room)
    if (this.#current === null || this.#used + room > chunkBytes) {
      const chunk = this.#grow(chunkBytes)
      if (chunk === null) return false
      // What is left of the chunk before is given up: less than a quarter of it.
      this.#current = chunk
      this.#used = 0
    }
    this.chunk = this.#current.number
    this.at = this.#used
    this.#used += room
    return true
  }

  #takeAlone(room: number): boolean {
    const chunk = this.#grow(room)
    if (chunk === null) return false
    this.chunk = chunk.number
    this.at = 0
    return true
  }

  /** Gives a block back. */
  give(chunk: number, at: number, bytes: number): void {
    this.#out--
    const size = sizeOf(bytes)
    const free = (this.#free[size] ??= [])
    free.push(chunk, at)
  }

  #grow(bytes: number): Chunk | null {
    if (this.#total + bytes > mostBytes) return null
    this.#total += bytes
    const chunk = newChunk(this.#numbers++, bytes, this.#announce)
    this.#chunks.set(chunk.number, chunk)
    return chunk
  }

  #giveUpChunks(): void {
    for (const number of this.#chunks.keys()) this.#announce(number, null)
    this.#chunks.clear()
    this.#free = []
    this.#current = null
    this.#total = 0
  }
}

/** The size of the block for so many bytes: the power of two above the smallest. */
function sizeOf(bytes: number): number {
  return bytes <= smallest ? 0 : 32 - Math.clz32(bytes - 1) - smallestShift
}

/** The bytes of a worker's first chunk, and of the greatest. */
const ringSizes = { first: 2 ** 18, most: 2 ** 24 } as const

/** A worker's blocks: a ring of bytes that follows its completions. */
export class ResultArena {
  readonly #completions: Completions
  readonly #announce: Announce
  readonly #sizes: { readonly first: number; readonly most: number }
  #chunk: Chunk | null = null
  #chunks = 0
  /** The next byte to write, and the first that may still be read, counted up for ever. */
  #next = 0
  #first = 0
  /** For each block its completion and where it ends, in turns; the oldest at `#oldest`. */
  #blocks: number[] = []
  #oldest = 0
  chunk = 0
  at = 0
  bytes: Buffer = Buffer.alloc(0)

  constructor(
    completions: Completions,
    announce: Announce,
    sizes: { readonly first: number; readonly most: number } = ringSizes,
  ) {
    this.#completions = completions
    this.#announce = announce
    this.#sizes = sizes
  }

  /**
   * Takes a block for the result that is completed next; {@link bytes}, {@link chunk} and {@link at}
   * say where it is.
   *
   * @returns false: there is no room
   */
  take(bytes: number): boolean {
    const room = (bytes + 7) & ~7
    if (this.#chunk === null || 4 * room > this.#chunk.bytes.length) {
      if (!this.#grow(4 * room)) return false
    }
    if (!this.#fits(room)) {
      this.#reclaim()
      // The owner is behind: more room, up to a limit.
      if (!this.#fits(room) && !this.#grow(2 * (this.#chunk as Chunk).bytes.length)) return false
    }
    const { bytes: memory, number } = this.#chunk as Chunk
    const start = this.#start(room)
    this.#next = start + room
    this.#blocks.push(this.#completions.pushed, this.#next)
    this.bytes = memory
    this.chunk = number
    this.at = start % memory.length
    return true
  }

  /** Where a block would begin: it does not go around the end. */
  #start(room: number): number {
    const size = (this.#chunk as Chunk).bytes.length
    const offset = this.#next % size
    return offset + room > size ? this.#next + size - offset : this.#next
  }

  #fits(room: number): boolean {
    return this.#start(room) + room - this.#first <= (this.#chunk as Chunk).bytes.length
  }

  /** Everything that was completed before the owner's last look may be written over. */
  #reclaim(): void {
    const reaped = this.#completions.reaped()
    const blocks = this.#blocks
    while (this.#oldest < blocks.length && ((reaped - (blocks[this.#oldest] as number)) | 0) > 0) {
      this.#first = blocks[this.#oldest + 1] as number
      this.#oldest += 2
    }
    if (this.#oldest === blocks.length) this.#first = this.#next
    if (this.#oldest > 1024) {
      this.#blocks = blocks.slice(this.#oldest)
      this.#oldest = 0
    }
  }

  /** A new chunk for greater blocks. The one before stays with the owner until it is read. */
  #grow(wanted: number): boolean {
    let bytes = this.#sizes.first
    while (bytes < wanted) bytes *= 2
    if (bytes > this.#sizes.most) return false
    this.#chunk = newChunk(this.#chunks++, bytes, this.#announce)
    this.#next = this.#first = this.#oldest = 0
    this.#blocks = []
    return true
  }
}

function newChunk(number: number, bytes: number, announce: Announce): Chunk {
  const buffer = new SharedArrayBuffer(bytes)
  announce(number, buffer)
  return { number, bytes: Buffer.from(buffer) }
}

/** The other side's chunks, by number. */
export class Chunks {
  readonly #known = new Map<number, Buffer>()

  /** The other side has told of a chunk; null: it has given it up. */
  add(number: number, buffer: SharedArrayBuffer | null): void {
    if (buffer === null) this.#known.delete(number)
    else this.#known.set(number, Buffer.from(buffer))
  }

  get(number: number): Buffer | undefined {
    return this.#known.get(number)
  }
}
