/**
 * `userworker/vhost`: virtio devices that are served to a virtual machine by vhost-user.
 *
 * @module
 */
export type { Device, DeviceFactory, DeviceHost, DeviceModule, Sleep } from './vhost/index.js'
export type { Request, Segments } from './virtio/index.js'
