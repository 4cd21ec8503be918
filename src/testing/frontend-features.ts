/**
 * What the frontend for tests takes of what is offered, unless told otherwise.
 *
 * @module
 */
import {
  VHOST_F_LOG_ALL,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_PACKED,
} from '../virtio/index.js'
import { protocolFeatures } from '../vhost/index.js'

const all = Object.values(protocolFeatures).reduce((sum, bit) => sum | bit, 0n)

/** Those that QEMU 7.2 takes for a disk, where they are offered. */
export const usualProtocolFeatures: bigint =
  all & ~(protocolFeatures.STATUS | protocolFeatures.RESET_DEVICE)

/** All features, without those that it takes only when told, or not at all. */
export const usualFeatures: bigint =
  (2n ** 64n - 1n) &
  ~(VHOST_F_LOG_ALL | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER)
