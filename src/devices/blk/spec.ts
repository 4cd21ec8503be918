/**
 * Names and numbers of a block device, verbatim from the specification (VIRTIO 1.x, section 5.2).
 *
 * @module
 */

/** Which device it is. */
export const VIRTIO_ID_BLOCK = 2

/** Feature bits, by their number. */
export const VIRTIO_BLK_F_SIZE_MAX = 1
export const VIRTIO_BLK_F_SEG_MAX = 2
export const VIRTIO_BLK_F_GEOMETRY = 4
export const VIRTIO_BLK_F_RO = 5
export const VIRTIO_BLK_F_BLK_SIZE = 6
export const VIRTIO_BLK_F_FLUSH = 9
export const VIRTIO_BLK_F_TOPOLOGY = 10
export const VIRTIO_BLK_F_CONFIG_WCE = 11
export const VIRTIO_BLK_F_MQ = 12
export const VIRTIO_BLK_F_DISCARD = 13
export const VIRTIO_BLK_F_WRITE_ZEROES = 14

/** Types of requests. */
export const VIRTIO_BLK_T_IN = 0
export const VIRTIO_BLK_T_OUT = 1
export const VIRTIO_BLK_T_FLUSH = 4
export const VIRTIO_BLK_T_GET_ID = 8
export const VIRTIO_BLK_T_DISCARD = 11
export const VIRTIO_BLK_T_WRITE_ZEROES = 13

/** What the device answers. */
export const VIRTIO_BLK_S_OK = 0
export const VIRTIO_BLK_S_IOERR = 1
export const VIRTIO_BLK_S_UNSUPP = 2

/** A flag of a segment to discard or to zero: its blocks may be given back. */
export const VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP = 1

/** The length of the answer to VIRTIO_BLK_T_GET_ID. */
export const VIRTIO_BLK_ID_BYTES = 20

/** The unit of `sector` and `capacity`, whatever the block size: bytes. */
export const sectorBytes = 512

/** `struct virtio_blk_config`: where its fields lie, in bytes from its beginning. */
export const configOffsets = {
  capacity: 0,
  size_max: 8,
  seg_max: 12,
  cylinders: 16,
  heads: 18,
  sectors: 19,
  blk_size: 20,
  physical_block_exp: 24,
  alignment_offset: 25,
  min_io_size: 26,
  opt_io_size: 28,
  writeback: 32,
  num_queues: 34,
  max_discard_sectors: 36,
  max_discard_seg: 40,
  discard_sector_alignment: 44,
  max_write_zeroes_sectors: 48,
  max_write_zeroes_seg: 52,
  write_zeroes_may_unmap: 56,
} as const

/** The length of the configuration space up to the fields for zoned devices, which we are not. */
export const configBytes = 60
