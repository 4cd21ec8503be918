/**
 * What the frontend for tests speaks: protocol features of vhost-user, by the specification's names
 * without VHOST_USER_PROTOCOL_F_.
 *
 * @module
 */
import {
  VHOST_F_LOG_ALL,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_PACKED,
} from '../virtio/index.js'

/** Protocol features, each a bit. */
export const protocolFeatures = {
  MQ: 1n << 0n,
  LOG_SHMFD: 1n << 1n,
  REPLY_ACK: 1n << 3n,
  BACKEND_REQ: 1n << 5n,
  CONFIG: 1n << 9n,
  INFLIGHT_SHMFD: 1n << 12n,
  RESET_DEVICE: 1n << 13n,
  CONFIGURE_MEM_SLOTS: 1n << 15n,
  STATUS: 1n << 16n,
} as const

const all = Object.values(protocolFeatures).reduce((sum, bit) => sum | bit, 0n)

/** Those that QEMU 7.2 takes for a disk, where they are offered. */
export const usualProtocolFeatures: bigint =
  all & ~(protocolFeatures.STATUS | protocolFeatures.RESET_DEVICE)

/** All features, without those that it takes only when told, or not at all. */
export const usualFeatures: bigint =
  (2n ** 64n - 1n) &
  ~(VHOST_F_LOG_ALL | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER)
