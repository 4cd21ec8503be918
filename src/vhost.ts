/**
 * `userworker/vhost`: virtio devices that are served to a virtual machine by vhost-user.
 *
 * @module
 */
export {
  serveDisk,
  ServedDisk,
  type DiskStats,
  type FaultOperation,
  type FaultRule,
  type ServeDiskOptions,
} from './devices/index.js'
export {
  serve,
  ServedDevice,
  VhostWorker,
  type Device,
  type DeviceFactory,
  type DeviceHost,
  type DeviceModule,
  type ServedDeviceEvents,
  type ServeOptions,
  type Sleep,
  type TracedMessage,
  type VhostWorkerOptions,
} from './vhost/index.js'
export type { Request, Segments } from './virtio/index.js'
