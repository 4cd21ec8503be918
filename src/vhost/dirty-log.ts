/**
 * The dirty log: a bit for each page of guest memory that the backend has written to, in memory shared
 * with the frontend, which copies those pages to where the guest moves (VHOST_USER_PROTOCOL_F_LOG_SHMFD).
 *
 * | word        | writers                                     | reader                      | order                   |
 * | ----------- | ------------------------------------------- | --------------------------- | ----------------------- |
 * | 32 pages    | every thread with a vring, by an atomic or  | the frontend, which swaps 0 | after the pages' bytes, |
 * |             |                                             | for it                      | before the used ring    |
 *
 * @module
 */
import * as memory from '#memory'

/** The bytes of memory that a bit stands for (VHOST_LOG_PAGE). */
const logPageBytes = 4096

/** The log as a thread with a vring sees it. */
export class DirtyPages {
  readonly #words: memory.Words
  readonly #pages: number

  /** @param log - its view: from guest address 0 on; a multiple of 4 bytes */
  constructor(log: ArrayBufferLike) {
    // The type knows of one kind of shared memory only; atomics work on mapped memory as well.
    this.#words = new Int32Array(log) as memory.Words
    this.#pages = this.#words.length * 32
  }

  /**
   * Marks all pages that `length` bytes from `guest` on touch. Pages that the log does not reach are
   * passed over: the frontend gave a log that is too short for its own memory.
   */
  mark(guest: number, length: number): void {
    if (length <= 0) return
    const last = Math.min(Math.floor((guest + length - 1) / logPageBytes), this.#pages - 1)
    let page = Math.floor(guest / logPageBytes)
    while (page <= last) {
      const bit = page % 32
      const count = Math.min(32 - bit, last - page + 1)
      // Of `count` ones; a shift goes by the remainder of 32, so that all of them are their own case.
      const ones = count === 32 ? -1 : (1 << count) - 1
      memory.or(this.#words, (page - bit) / 32, ones << bit)
      page += count
    }
  }
}
