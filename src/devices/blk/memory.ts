/**
 * A disk in memory that all threads share.
 *
 * @module
 */
import type { BackEnd, Bytes, Outcome } from './back-end.js'

/** Bytes in memory, given as they are. */
export class MemoryBackEnd implements BackEnd {
  readonly alignment = 1
  readonly #bytes: Uint8Array

  constructor(bytes: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(bytes)
  }

  get size(): number {
    return this.#bytes.length
  }

  read({ segments, from, length }: Bytes, offset: number): Outcome {
    segments.write(from, this.#bytes.subarray(offset, offset + length))
    return 'done'
  }

  write({ segments, from, length }: Bytes, offset: number): Outcome {
    segments.read(from, this.#bytes.subarray(offset, offset + length))
    return 'done'
  }

  flush(): Outcome {
    return 'done'
  }

  discard(): Outcome {
    return 'done'
  }

  zero(offset: number, length: number): Outcome {
    this.#bytes.fill(0, offset, offset + length)
    return 'done'
  }

  close(): void {}
}
