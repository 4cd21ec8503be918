/** The door of `vhost/`: a vhost-user backend. */
export type { Backend, DirtyLog, MappedRegion, VringChange, VringSetup } from './backend.js'
export type { Device, DeviceFactory, DeviceHost, DeviceModule, Sleep } from './device.js'
export { VhostWorker, type VhostWorkerOptions } from './worker/index.js'
export { Caller, type Reply } from './caller.js'
export { Connection, type Handler } from './connection.js'
export type { TracedMessage } from './message-trace.js'
export {
  backendRequests,
  frontendRequests,
  type Message,
  type PayloadOf,
  type ReplyOf,
  type RequestName,
  type Side,
} from './message.js'
export type { InflightArea } from './payloads.js'
export { ProtocolError } from './protocol-error.js'
export { serve, ServedDevice, type ServedDeviceEvents, type ServeOptions } from './serve.js'
export { DirtyPages } from './dirty-log.js'
export { InflightTracker, inflightQueueBytes, type Recovered } from './inflight.js'
export { Server, type ServerEvent, type ServerOptions } from './server.js'
