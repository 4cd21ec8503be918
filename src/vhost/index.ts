/** The door of `vhost/`: a vhost-user backend. */
export type { Backend, DirtyLog, MappedRegion, VringChange, VringSetup } from './backend.js'
export type { Device, DeviceFactory, DeviceHost, DeviceModule, Sleep } from './device.js'
export { VhostWorker, type VhostWorkerOptions } from './worker/index.js'
