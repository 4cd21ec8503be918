/**
 * What stands at the beginning of a request, and the segments of those to discard or to zero.
 *
 * @module
 */
import type { Segments } from '../../virtio/index.js'

/** `type`, `reserved` and `sector`: bytes. */
export const headerBytes = 16

/** A segment to discard or to zero: `sector`, `num_sectors`, `flags`. */
const rangeBytes = 16

/** Part of the disk, in sectors. */
export interface SectorRange {
  readonly sector: number
  readonly sectors: number
  readonly flags: number
}

/**
 * The header of a request, copied once: the guest may change it meanwhile, so nothing is read twice.
 */
export class RequestHeader {
  readonly #bytes = new Uint8Array(headerBytes)
  readonly #view = new DataView(this.#bytes.buffer)
  type = 0
  /** As a number: exact where it can lie on a disk, and beyond 2^53 too great for any. */
  sector = 0

  /** @returns false where the request has no room for a header */
  copyFrom(readable: Segments): boolean {
    if (readable.read(0, this.#bytes) < headerBytes) return false
    this.type = this.#view.getUint32(0, true)
    this.sector = wide(this.#view, 8)
    return true
  }
}

/**
 * The segments of a request, copied once.
 *
 * @param most - how many there may be
 * @returns null where they are none, too many, or not whole
 */
export function rangesOf(readable: Segments, most: number): SectorRange[] | null {
  const length = readable.length - headerBytes
  if (length <= 0 || length % rangeBytes !== 0 || length > most * rangeBytes) return null
  const bytes = new Uint8Array(length)
  if (readable.read(headerBytes, bytes) < length) return null
  const view = new DataView(bytes.buffer)
  return Array.from({ length: length / rangeBytes }, (_, index) => ({
    sector: wide(view, index * rangeBytes),
    sectors: view.getUint32(index * rangeBytes + 8, true),
    flags: view.getUint32(index * rangeBytes + 12, true),
  }))
}

function wide(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true)
}
