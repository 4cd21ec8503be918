/**
 * What the author of a device writes.
 *
 * @module
 */
import type { Request } from '../virtio/index.js'

/**
 * A virtio device. It is made by a {@link DeviceModule}'s function once in the thread that serves the
 * socket, where it is asked for all but {@link process}, and once in each thread that has a vring of
 * it, where it is given the requests. What those instances share lies in shared memory that `data`
 * carries.
 */
export interface Device {
  /** Which device it is: the number of the specification, as 2 for a disk (VIRTIO 1.x, section 5). */
  readonly id: number
  /** The feature bits of this kind of device that it offers. Those of the transport are added. */
  readonly features?: bigint
  /** The most vrings it has, from 1 to 256; 1 unless told. */
  readonly vrings?: number
  /** Its configuration space, as the driver reads it; called anew at each reading. */
  config?(): Uint8Array
  /**
   * The driver writes to the configuration space. @returns false where it may not: nothing is changed
   */
  writeConfig?(offset: number, bytes: Uint8Array): boolean
  /** The features that the driver took, of all. Called in each thread before its first request. */
  negotiated?(features: bigint): void
  /**
   * Serves a request. It may complete it now or later, and give the bytes it wrote either by
   * `request.complete(written)`, or by returning them, or a promise of them. Where the device has a wait
   * of its own, see {@link DeviceHost.sleepBy}, a request that the event loop completes needs the promise.
   *
   * An error that is thrown here, or a promise rejected, breaks the vring: it stands until the driver
   * resets the device. A device answers a bad request in its own protocol's way instead.
   *
   * @param vring - the number of its vring
   */
  process(request: Request, vring: number): number | void | Promise<number>
  /** Nothing comes any more. Requests under way are awaited before. */
  close?(): void | Promise<void>
}

/** What a device gets of the thread it is in. */
export interface DeviceHost {
  /** Whether this is the instance that serves the socket, and gets no requests. */
  readonly isControl: boolean
  /** The worker's name; in the thread of the socket, the device's. */
  readonly name: string
  /**
   * Calls `listener` in this thread whenever the descriptor is readable, between two batches. The
   * descriptor stays the device's, to be closed after the watch.
   *
   * @returns an end to it
   * @throws the system's error: the descriptor is none that becomes readable, as EPERM of a file
   */
  watch(fd: number, listener: () => void): { close(): void }
  /**
   * How the thread sleeps from now on: by a wait of the device's own, for devices with a ring of system
   * calls, which can wait for descriptors and for its calls in one. One device of a worker may.
   *
   * @returns an end to it
   * @throws Error: another device of this worker does so
   */
  sleepBy(sleep: Sleep): { close(): void }
  /**
   * In the thread of the socket: tells the driver that the configuration space has changed (VIRTIO 1.x,
   * 4.1.4.5; vhost-user: CONFIG_CHANGE_MSG).
   *
   * @throws Error: this is another thread
   */
  configChanged(): void
}

/**
 * Blocks the thread until the descriptor is readable, or something of the device's own has come, or
 * `timeoutMs` are over: 0 is to look only. It also begins what the device was asked since.
 *
 * @returns false where nothing of the device's own is under way, and it has not waited: then the thread
 * waits for the descriptor by itself
 */
export type Sleep = (fd: number, timeoutMs: number) => boolean

/** Makes the instances of a device. It may be async. */
export type DeviceFactory<Data> = (data: Data, host: DeviceHost) => Device | Promise<Device>

/** A module whose default export makes a device. */
export interface DeviceModule<Data = unknown> {
  /** Makes the instance of a thread. */
  readonly default: DeviceFactory<Data>
}
