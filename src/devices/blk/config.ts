/**
 * The configuration space of a disk, and the features that go with it.
 *
 * @module
 */
import type { Words } from '#memory'
import { capacityOf, isWriteThrough } from './disk-words.js'
import * as spec from './spec.js'

/** What a disk says of itself. */
export interface DiskTraits {
  readonly readOnly: boolean
  readonly queues: number
  /** Bytes of a logical block: a power of two from 512 to 65536. */
  readonly blockSize: number
}

/** The most data pieces of a request: as many as one system call takes, without header and status. */
const mostPieces = 1022
/**
 * The most that one segment discards, and zeroes, in sectors: 1 GiB, and 64 MiB, as there are file systems
 * where zeros have to be written, and a thread is busy with it.
 */
export const mostDiscarded: number = 2 ** 21
export const mostZeroed: number = 2 ** 17
/** How many segments a request may have. */
export const mostRanges = 8

const { configOffsets: at } = spec

export function featuresOf({ readOnly, queues }: DiskTraits): bigint {
  const bits = [
    spec.VIRTIO_BLK_F_SEG_MAX,
    spec.VIRTIO_BLK_F_GEOMETRY,
    spec.VIRTIO_BLK_F_BLK_SIZE,
    spec.VIRTIO_BLK_F_FLUSH,
    spec.VIRTIO_BLK_F_TOPOLOGY,
    spec.VIRTIO_BLK_F_CONFIG_WCE,
    ...(readOnly
      ? [spec.VIRTIO_BLK_F_RO]
      : [spec.VIRTIO_BLK_F_DISCARD, spec.VIRTIO_BLK_F_WRITE_ZEROES]),
    ...(queues > 1 ? [spec.VIRTIO_BLK_F_MQ] : []),
  ]
  return bits.reduce((features, bit) => features | (1n << BigInt(bit)), 0n)
}

/** The configuration space as it is now. */
export function configOf(traits: DiskTraits, words: Words): Uint8Array {
  const view = new DataView(new ArrayBuffer(spec.configBytes))
  const capacity = capacityOf(words)
  view.setBigUint64(at.capacity, BigInt(capacity), true)
  view.setUint32(at.seg_max, mostPieces, true)
  const [heads, sectors] = [16, 63]
  view.setUint16(at.cylinders, Math.min(65535, Math.floor(capacity / (heads * sectors))), true)
  view.setUint8(at.heads, heads)
  view.setUint8(at.sectors, sectors)
  view.setUint32(at.blk_size, traits.blockSize, true)
  // In logical blocks: the host writes pages of 4096 bytes.
  const exponent = Math.max(0, 12 - Math.log2(traits.blockSize))
  view.setUint8(at.physical_block_exp, exponent)
  view.setUint16(at.min_io_size, 2 ** exponent, true)
  view.setUint8(at.writeback, isWriteThrough(words) ? 0 : 1)
  view.setUint16(at.num_queues, traits.queues, true)
  if (!traits.readOnly) {
    view.setUint32(at.max_discard_sectors, mostDiscarded, true)
    view.setUint32(at.max_discard_seg, mostRanges, true)
    view.setUint32(at.discard_sector_alignment, traits.blockSize / spec.sectorBytes, true)
    view.setUint32(at.max_write_zeroes_sectors, mostZeroed, true)
    view.setUint32(at.max_write_zeroes_seg, mostRanges, true)
    view.setUint8(at.write_zeroes_may_unmap, 1)
  }
  return new Uint8Array(view.buffer)
}

/** Which value of `writeback` a write to the configuration space sets; null where it may not be made. */
export function writebackOf(offset: number, bytes: Uint8Array): 0 | 1 | null {
  const [value] = bytes
  if (offset !== at.writeback || bytes.length !== 1) return null
  return value === 0 || value === 1 ? value : null
}
