/**
 * A file, or a block device, by calls that wait: through the page cache, or past it (O_DIRECT).
 *
 * Through the page cache this is the quickest way there is: one call copies between the file's pages
 * and the guest's, and no other thread takes part.
 *
 * @module
 */
import { builtin } from '../../os/builtin.js'
import {
  punchHole,
  readAt,
  readPieces,
  syncData,
  writeAt,
  writePieces,
  zeroRange,
} from '../../os/file-io.js'
import { lastError } from '../../os/koffi.js'
import { outcomeOf, type BackEnd, type Bytes, type Done, type Outcome } from './back-end.js'
import { Iovecs } from './iovecs.js'
import { MappedBytes } from './mapped-bytes.js'
import type { OpenImage } from './open-image.js'

/** What is copied at once where the guest's memory is not aligned, and what is written of zeros. */
const bounceBytes = 2 ** 18

/** An open file. It has its own descriptor. */
export class FileBackEnd implements BackEnd {
  readonly fd: number
  readonly size: number
  /** What offsets, lengths and addresses must be multiples of: 1 through the page cache. */
  readonly alignment: number
  readonly #iovecs: Iovecs
  #bounce: MappedBytes | null = null

  constructor(image: OpenImage) {
    this.fd = image.fd
    this.size = image.size
    this.alignment = image.alignment
    this.#iovecs = new Iovecs(1, image.alignment)
  }

  read(bytes: Bytes, offset: number): Outcome {
    return this.#transfer(bytes, offset, readAt, readPieces, true)
  }

  write(bytes: Bytes, offset: number): Outcome {
    return this.#transfer(bytes, offset, writeAt, writePieces, false)
  }

  flush(_done: Done): Outcome {
    return outcomeOf(syncData(this.fd))
  }

  discard(offset: number, length: number): Outcome {
    // A wish: where the file system cannot do it, nothing need be done.
    if (punchHole(this.fd, offset, length)) return 'done'
    return outcomeOf(isMissing(lastError()))
  }

  zero(offset: number, length: number, mayUnmap: boolean): Outcome {
    if (mayUnmap && punchHole(this.fd, offset, length)) return 'done'
    if (zeroRange(this.fd, offset, length)) return 'done'
    if (!isMissing(lastError())) return 'failed'
    const zeros = this.#bounceBuffer()
    zeros.fill(0, bounceBytes)
    for (let done = 0; done < length;) {
      const part = Math.min(bounceBytes, length - done)
      const outcome = this.write({ segments: zeros, from: 0, length: part }, offset + done)
      if (outcome !== 'done') return outcome
      done += part
    }
    return 'done'
  }

  close(): void {
    this.#iovecs.close()
    this.#bounce?.free()
    builtin('node:fs').closeSync(this.fd)
  }

  #transfer(
    bytes: Bytes,
    offset: number,
    one: typeof readAt,
    several: typeof readPieces,
    isRead: boolean,
  ): Outcome {
    if ((offset | bytes.length) & (this.alignment - 1)) return 'failed'
    const iovecs = this.#iovecs
    for (let done = 0; done < bytes.length;) {
      const count = iovecs.fill(0, bytes, done)
      if (!iovecs.isAligned) return this.#byBounce(bytes, offset, isRead)
      const at = offset + done
      const moved =
        count === 1
          ? one(this.fd, iovecs.firstAddress, iovecs.firstLength, at)
          : several(this.fd, iovecs.address(0), count, at)
      if (moved > 0) done += moved
      // The end of the file: somebody has made it shorter under our feet.
      else if (moved === 0 || lastError() !== 'EINTR') return 'failed'
    }
    return 'done'
  }

  /** For memory that is not aligned as O_DIRECT wants it: copied through some that is. */
  #byBounce({ segments, from, length }: Bytes, offset: number, isRead: boolean): Outcome {
    const bounce = this.#bounceBuffer()
    for (let done = 0; done < length;) {
      const part = Math.min(bounceBytes, length - done)
      const view = bounce.bytes().subarray(0, part)
      const bytes = { segments: bounce, from: 0, length: part }
      if (!isRead) segments.read(from + done, view)
      const outcome = isRead ? this.read(bytes, offset + done) : this.write(bytes, offset + done)
      if (outcome !== 'done') return outcome
      if (isRead) segments.write(from + done, view)
      done += part
    }
    return 'done'
  }

  #bounceBuffer(): MappedBytes {
    this.#bounce ??= new MappedBytes(bounceBytes)
    return this.#bounce
  }
}

/** Whether a call failed because it does not exist for this file. */
function isMissing(code: string): boolean {
  return code === 'EOPNOTSUPP' || code === 'ENOTSUP' || code === 'ENOSYS' || code === 'EINVAL'
}
