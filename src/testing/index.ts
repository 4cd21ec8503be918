/**
 * `userworker/testing`: the other side of virtio devices, for tests of them without a guest.
 *
 * @module
 */
export { DriverMemory, type DriverMemoryOptions } from './driver-memory.js'
export {
  VirtqueueDriver,
  type Descriptor,
  type DriverBuffer,
  type UsedRequest,
  type VirtqueueDriverOptions,
} from './virtqueue-driver.js'
