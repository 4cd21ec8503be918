/**
 * Names and numbers of VIRTIO 1.x, and of vhost-user where they are feature bits too: verbatim, so that they
 * can be found in the specifications.
 *
 * @module
 */

/** The largest queue (2.7): sixteen bits count its entries, and it is a power of two. */
export const mostDescriptors = 32768

/** Bytes of one `struct virtq_desc` (2.7.5): le64 addr, le32 len, le16 flags, le16 next. */
export const descriptorBytes = 16

/** The chain goes on at `next` (2.7.5). */
export const VIRTQ_DESC_F_NEXT = 1
/** The device may only write here; without it, only read (2.7.5). */
export const VIRTQ_DESC_F_WRITE = 2
/** What lies here is a table of descriptors (2.7.5.3). */
export const VIRTQ_DESC_F_INDIRECT = 4

/** In the flags of the available ring: the driver wants no interrupts (2.7.7). */
export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1
/** In the flags of the used ring: the device wants no notifications (2.7.10). */
export const VIRTQ_USED_F_NO_NOTIFY = 1

/** All writes are to be logged: a feature bit of vhost only, for migration. */
export const VHOST_F_LOG_ALL: bigint = 1n << 26n
/** A chain may be described by a table of its own (6). */
export const VIRTIO_RING_F_INDIRECT_DESC: bigint = 1n << 28n
/** `used_event` and `avail_event` say when to notify (6). */
export const VIRTIO_RING_F_EVENT_IDX: bigint = 1n << 29n
/** The frontend may ask for the features of the protocol: a feature bit of vhost-user only. */
export const VHOST_USER_F_PROTOCOL_FEATURES: bigint = 1n << 30n
/** The device follows VIRTIO 1.0 or later (6). */
export const VIRTIO_F_VERSION_1: bigint = 1n << 32n
/** The device goes by addresses that the platform translates (6). */
export const VIRTIO_F_ACCESS_PLATFORM: bigint = 1n << 33n
/** Packed virtqueues (6, 2.8). */
export const VIRTIO_F_RING_PACKED: bigint = 1n << 34n
/** Buffers are used in the order in which they were made available (6). */
export const VIRTIO_F_IN_ORDER: bigint = 1n << 35n
