/**
 * Memory that the frontend gives to the backend: a part of a file, mapped.
 *
 * @module
 */
import { close } from '../os/events.js'
import { longestViewBytes, map, pageBytes, unmap, viewOf } from '../os/mapping.js'

/** A part of a file in memory, mapped into this process. */
export class MappedFile {
  /** The file's descriptor. It is closed with the area. */
  readonly fd: number
  /** Its length in bytes. */
  readonly size: number
  /** Where it begins in the file, in bytes. */
  readonly offset: number
  /** Its address in this process. */
  readonly address: number
  /** Its bytes, the first 2^30 of them where it is longer. They must not be touched once it is closed. */
  readonly bytes: Uint8Array
  readonly #mapped: { readonly address: number; readonly length: number }
  #isOpen = true

  /** Takes over the file, which is at least `offset + size` bytes long. */
  constructor(fd: number, size: number, offset = 0) {
    const start = Math.floor(offset / pageBytes) * pageBytes
    const length = offset - start + size
    this.fd = fd
    this.size = size
    this.offset = offset
    this.#mapped = { address: map(fd, length, start), length }
    this.address = this.#mapped.address + offset - start
    this.bytes = new Uint8Array(viewOf(this.address, Math.min(size, longestViewBytes)))
  }

  /**
   * A view of some of it, wherever it is.
   *
   * @param offset - from the beginning of the area, in bytes
   * @throws RangeError: it is not all in the area
   */
  at(offset: number, length: number): Uint8Array {
    if (!this.#isOpen) throw new RangeError('This memory is closed')
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new RangeError(`${length} bytes at ${offset} are not in this memory`)
    if (offset + length <= this.bytes.length) return this.bytes.subarray(offset, offset + length)
    return new Uint8Array(viewOf(this.address + offset, length))
  }

  /** Ends it. Views of it must not be touched any more: that would end the process. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    unmap(this.#mapped.address, this.#mapped.length)
    close(this.fd)
  }
}
