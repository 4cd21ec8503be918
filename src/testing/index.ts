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
export { protocolFeatures } from '../vhost/index.js'
export { Frontend, type FrontendOptions } from './frontend.js'
export { type FrontendListener } from './frontend-listener.js'
export { type FrontendMemory, type FrontendRegion, type RegionLayout } from './frontend-memory.js'
export { type Completion, type FrontendQueue } from './frontend-queue.js'
export { type FrontendSteps } from './frontend-steps.js'
export { type MappedFile } from './mapped-file.js'
