/** The door of `virtio/`: virtqueues over a guest's memory, and what is done with a request. */
export { Chain } from './chain.js'
export {
  GuestMemory,
  overlapBytes,
  windowsOf,
  type GuestRegion,
  type WindowLayout,
} from './memory.js'
export { Notifications, ringLayout } from './notifications.js'
export type { Request, Segments } from './request.js'
export { RingError } from './ring-error.js'
export { Pieces } from './segments.js'
export * from './spec.js'
export { SplitQueue, type QueueSetup } from './split-queue.js'
