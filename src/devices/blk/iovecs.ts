/**
 * The pieces of a request's memory, as system calls take them.
 *
 * @module
 */
import { iovecBytes, mostIovecs } from '../../os/file-io.js'
import type { Bytes } from './back-end.js'
import { MappedBytes } from './mapped-bytes.js'

/** Room for the pieces of so many requests at once, as many for each as one call takes. */
export class Iovecs {
  readonly #memory: MappedBytes
  readonly #words: Uint32Array
  /** The first piece of the last {@link fill}, for calls that take one. */
  firstAddress = 0
  firstLength = 0
  /** Whether all pieces of the last {@link fill} begin and end at a multiple of {@link #alignment}. */
  isAligned = true
  readonly #alignment: number

  /** @param alignment - what is looked for: a power of two */
  constructor(requests: number, alignment = 1) {
    this.#memory = new MappedBytes(requests * mostIovecs * iovecBytes)
    const bytes = this.#memory.bytes()
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    this.#alignment = alignment
  }

  /** Where the entries of a request lie. */
  address(request: number): number {
    return this.#memory.start + request * mostIovecs * iovecBytes
  }

  /**
   * Notes the pieces of `bytes` but for the first `done` of them.
   *
   * @returns how many pieces; they may end before the bytes do
   */
  fill(request: number, { segments, from, length }: Bytes, done: number): number {
    let piece = 0
    let skip = from + done
    let left = length - done
    while (skip >= segments.size(piece)) skip -= segments.size(piece++)
    const first = request * mostIovecs
    let count = 0
    let lows = 0
    for (; left > 0 && count < mostIovecs; count++) {
      const address = segments.address(piece) + skip
      const size = Math.min(left, segments.size(piece) - skip)
      const at = (first + count) * 4
      this.#words[at] = address
      this.#words[at + 1] = address / 2 ** 32
      this.#words[at + 2] = size
      this.#words[at + 3] = size / 2 ** 32
      if (count === 0) {
        this.firstAddress = address
        this.firstLength = size
      }
      lows |= address | size
      left -= size
      skip = 0
      piece++
    }
    this.isAligned = (lows & (this.#alignment - 1)) === 0
    return count
  }

  close(): void {
    this.#memory.free()
  }
}
