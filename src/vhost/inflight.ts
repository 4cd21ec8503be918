/**
 * The region that tracks requests under way, for split virtqueues (the specification's "Inflight I/O
 * tracking"). The frontend keeps it while the backend is away, however that ended. The next backend finds
 * in it which requests were taken and not given back, and does them again: none is lost, and none that
 * the driver has seen done is repeated.
 *
 * A queue has a header and an entry for each of its descriptors, all in words of 32 bits:
 *
 * | word       | of the header                                       | of entry `head`                           |
 * | ---------- | --------------------------------------------------- | ----------------------------------------- |
 * | 0          | features, low half: 0                               | inflight: 1 from taken to given back      |
 * | 1          | features, high half: 0                              | next of the batch, in the high 16 bits    |
 * | 2          | version, and in the high 16 bits the size           | counter, low half                         |
 * | 3          | head of the last batch, and in the high 16 bits idx | counter, high half                        |
 *
 * | step                                     | after a crash right behind it, the request is            |
 * | ---------------------------------------- | -------------------------------------------------------- |
 * | `begin(head)`: counter, then inflight    | done again, once inflight is set; else taken as new      |
 * | `batch(head)`: next, then head of batch  | done again: the driver has not seen it                   |
 * | the used ring's idx is stored            | done: it is in the last batch, by the difference in idx  |
 * | `complete(idx)`: each inflight, then idx | done                                                     |
 *
 * The writer is the thread with the vring, alone. The order of its stores is the program's (each is
 * atomic); who reads them is a later process. All that is read may have been written by a hostile
 * frontend: no count or index is believed.
 *
 * @module
 */
import * as memory from '#memory'

const headerWords = 4
const entryWords = 4
/** A queue's part begins at a multiple of this: a cache line is written by one thread only. */
const alignment = 64
const version = 1

/** The bytes of one queue's part, with the padding behind it. */
export function inflightQueueBytes(queueSize: number): number {
  return Math.ceil(((headerWords + entryWords * queueSize) * 4) / alignment) * alignment
}

/** What was under way, when a vring begins. */
export interface Recovered {
  /** The heads of the requests to do again, in the order they were first taken in. */
  readonly heads: readonly number[]
  /** The index of the next available entry to take: what is before it was done, or is in `heads`. */
  readonly base: number
}

/** The part of one vring, as the thread that serves it uses it. */
export class InflightTracker {
  readonly #words: memory.Words
  readonly #size: number
  /** How many heads the last batch has so far. */
  #batched = 0
  #lastHead = 0
  #usedIndex = 0
  #counter = 0

  /**
   * @param region - a view of its part: {@link inflightQueueBytes} long
   * @param size - of the vring
   */
  constructor(region: ArrayBufferLike, size: number) {
    // The type knows of one kind of shared memory only; atomics work on mapped memory as well.
    this.#words = new Int32Array(region, 0, headerWords + entryWords * size) as memory.Words
    this.#size = size
  }

  /**
   * What was under way; once, before anything is taken. A region that is all zero is made ready.
   *
   * @param usedIndex - the used ring's idx now
   * @throws Error: the region is not of this version, or of another vring
   */
  recover(usedIndex: number): Recovered {
    const about = memory.load(this.#words, 2)
    if ((about & 0xffff) === 0) {
      this.#store(3, usedIndex << 16)
      this.#store(2, (this.#size << 16) | version)
    } else if (about !== ((this.#size << 16) | version)) {
      const [is, of] = [about & 0xffff, about >>> 16]
      throw new Error(
        `The in-flight region is of version ${is} for ${of} descriptors: ` +
          `version ${version} for ${this.#size} is needed`,
      )
    }
    this.#finishLastBatch(usedIndex)
    const heads = this.#headsUnderWay()
    this.#counter = heads.length === 0 ? 0 : this.#counterOf(heads[heads.length - 1] ?? 0) + 1
    return { heads, base: (usedIndex + heads.length) & 0xffff }
  }

  /** A request was taken, and nothing is done for it yet. */
  begin(head: number): void {
    const at = entryAt(head)
    this.#store(at + 2, this.#counter >>> 0)
    this.#store(at + 3, Math.floor(this.#counter / 2 ** 32))
    this.#counter += 1
    this.#store(at, 1)
  }

  /** A request is in the used ring, and the ring's idx is not stored yet. */
  batch(head: number): void {
    this.#store(entryAt(head) + 1, this.#lastHead << 16)
    this.#lastHead = head
    this.#batched += 1
    this.#storeState()
  }

  /** The used ring's idx is stored: all that were batched are done. */
  complete(usedIndex: number): void {
    let head = this.#lastHead
    for (; this.#batched > 0; this.#batched -= 1) {
      this.#store(entryAt(head), 0)
      head = this.#nextOf(head)
    }
    this.#usedIndex = usedIndex & 0xffff
    this.#storeState()
  }

  /** What `complete` had not come to when the process before ended. */
  #finishLastBatch(usedIndex: number): void {
    const state = memory.load(this.#words, 3)
    this.#lastHead = (state & 0xffff) % this.#size
    let missing = (usedIndex - (state >>> 16)) & 0xffff
    if (missing > this.#size) {
      // No batch is that large: the ring is another one since. What it says under way is not its own.
      for (let head = 0; head < this.#size; head += 1) this.#store(entryAt(head), 0)
      missing = 0
    }
    let head = this.#lastHead
    for (; missing > 0; missing -= 1) {
      this.#store(entryAt(head), 0)
      head = this.#nextOf(head)
    }
    this.#usedIndex = usedIndex & 0xffff
    this.#storeState()
  }

  /** In the order of their counters. */
  #headsUnderWay(): number[] {
    const heads: number[] = []
    for (let head = 0; head < this.#size; head += 1) {
      if ((memory.load(this.#words, entryAt(head)) & 0xff) !== 0) heads.push(head)
    }
    return heads.sort((a, b) => this.#counterOf(a) - this.#counterOf(b))
  }

  #counterOf(head: number): number {
    const at = entryAt(head) + 2
    const low = memory.load(this.#words, at) >>> 0
    return (memory.load(this.#words, at + 1) >>> 0) * 2 ** 32 + low
  }

  /** The one before `head` in its batch; within the region, whatever the frontend wrote there. */
  #nextOf(head: number): number {
    return (memory.load(this.#words, entryAt(head) + 1) >>> 16) % this.#size
  }

  #storeState(): void {
    this.#store(3, (this.#usedIndex << 16) | this.#lastHead)
  }

  #store(index: number, value: number): void {
    memory.store(this.#words, index, value)
  }
}

function entryAt(head: number): number {
  return headerWords + entryWords * head
}
