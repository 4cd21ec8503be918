/**
 * Memory of our own that system calls can be given, in the shape of a request's.
 *
 * @module
 */
import { close } from '../../os/events.js'
import { map, memoryFile, unmap, viewOf } from '../../os/mapping.js'
import type { Segments } from '../../virtio/index.js'

/** One piece of mapped memory, aligned to a page, all zero at first; to be given back by `free`. */
export class MappedBytes implements Segments {
  readonly count = 1
  readonly length: number
  readonly start: number
  readonly #bytes: Uint8Array

  constructor(length: number) {
    const fd = memoryFile('disk', length)
    try {
      this.start = map(fd, length)
    } finally {
      close(fd)
    }
    this.length = length
    this.#bytes = new Uint8Array(viewOf(this.start, length))
  }

  address(): number {
    return this.start
  }

  size(): number {
    return this.length
  }

  bytes(): Uint8Array {
    return this.#bytes
  }

  read(offset: number, target: Uint8Array): number {
    const part = this.#bytes.subarray(offset, offset + target.length)
    target.set(part)
    return part.length
  }

  write(offset: number, source: Uint8Array): number {
    const part = source.subarray(0, Math.max(0, this.length - offset))
    this.#bytes.set(part, offset)
    return part.length
  }

  fill(offset: number, length: number, value = 0): number {
    const end = Math.min(this.length, offset + length)
    this.#bytes.fill(value, offset, end)
    return Math.max(0, end - offset)
  }

  free(): void {
    unmap(this.start, this.length)
  }
}
