/**
 * `serve`: a device at a socket, for as long as it is open.
 *
 * @module
 */
import { EventEmitter } from 'node:events'
import { basename } from 'node:path'
import { invalid } from '../errors.js'
import { tellApart } from '../worker/index.js'
import {
  checkArray,
  checkInteger,
  checkName,
  checkObject,
  checkOptions,
  moduleUrl,
} from '../validate.js'
import { Server, type ServerEvent, type ServerOptions } from './server.js'
import { VhostDevice } from './vhost-device.js'
import { VhostWorker, type VhostWorkerOptions } from './worker/index.js'

/** How a device is to be served. */
export interface ServeOptions<Data = unknown> extends Pick<ServerOptions, 'socket' | 'mode'> {
  /**
   * How long its threads are kept after a frontend has gone, in milliseconds from 0 to 2^31 - 1: the next
   * one finds them. The socket stays in any case. Default 10,000.
   */
  readonly reconnectMs?: number
  /** What the function of the module gets as its first argument, in each thread; it is cloned. */
  readonly data?: Data
  /** What messages and its threads are called. Default: the module's file name without its ending. */
  readonly name?: string
  /**
   * The threads that serve its vrings: how many it makes for itself when a frontend comes, from 1 to 64;
   * or these, which it shares, and which stay when it is closed. Vring n is served by worker n modulo
   * their number. Default 1.
   */
  readonly workers?: number | readonly VhostWorker[]
  /** How the workers that it makes for itself are made. */
  readonly workerOptions?: VhostWorkerOptions
}

const known = [
  'socket',
  'mode',
  'reconnectMs',
  'data',
  'name',
  'workers',
  'workerOptions',
] as const satisfies readonly (keyof ServeOptions)[]

const mostWorkers = 64

/** A frontend that comes again does so in seconds, and finds the threads that it had. */
const usualReconnectMs = 10_000

/** What a served device tells its listeners. */
export interface ServedDeviceEvents {
  /** A frontend has connected. */
  connect: []
  /**
   * It has gone, and all that it led to is over. `reason`: the sentence that ended it; null where it went
   * by itself.
   */
  disconnect: [reason: string | null]
  /** Another frontend came meanwhile and was turned away. */
  refuse: []
  /** A vring was broken, by what its driver or the device did. It stands until the driver resets it. */
  broken: [vring: number, error: Error]
  /** Something went wrong that ended nothing. */
  problem: [error: Error]
}

/** A device that is served at a socket. Made by {@link serve}. */
export class ServedDevice extends EventEmitter<ServedDeviceEvents> {
  /** What messages call it. */
  readonly name: string
  /** The path of its socket. */
  readonly socket: string
  readonly #device: VhostDevice
  readonly #server: Server
  #closed: Promise<void> | null = null

  /** @internal */
  constructor(name: string, device: VhostDevice, options: ServerOptions) {
    super()
    this.name = name
    this.socket = options.socket
    this.#device = device
    device.onBroken = (vring, error) => tellApart(() => this.emit('broken', vring, error))
    device.onProblem = (error) => tellApart(() => this.emit('problem', error))
    this.#server = new Server(device, {
      ...options,
      onEvent: (event) => tellApart(() => this.#tell(event)),
    })
  }

  /** Whether a frontend is connected. */
  get isConnected(): boolean {
    return this.#server.isConnected
  }

  /** How many vrings it has. */
  get vrings(): number {
    return this.#device.vrings
  }

  /**
   * Makes a further worker for this device (VH-30), which can be attached to vrings and is freed with
   * the device.
   *
   * @throws UserWorkerError ENODEV: no frontend uses the device
   * @throws what `VhostWorker.create` throws
   */
  async newWorker(options: VhostWorkerOptions = {}): Promise<VhostWorker> {
    return await this.#device.newWorker(options)
  }

  /**
   * Frees a worker of this device (VH-31).
   *
   * @throws UserWorkerError ENODEV: this device has not made it, or it has ended
   * @throws UserWorkerError EBUSY: it serves a vring
   */
  async freeWorker(worker: VhostWorker): Promise<void> {
    await this.#device.freeWorker(worker)
  }

  /**
   * Has a vring served by another worker from now on (VH-32). What the one before had taken is finished
   * before: no two ever serve one vring.
   *
   * @throws UserWorkerError ENOBUFS: there is no such vring
   * @throws UserWorkerError ENODEV: no frontend uses the device, or the worker has ended
   * @throws what kept the vring from going on there, as ERR_WORKER_DIED; the frontend is disconnected then
   */
  async attach(vring: number, worker: VhostWorker): Promise<void> {
    await this.#device.attach(vring, worker)
  }

  /**
   * Who serves a vring (VH-33); null where nobody does, as no frontend uses the device.
   *
   * @throws UserWorkerError ENOBUFS: there is no such vring
   */
  workerOf(vring: number): VhostWorker | null {
    return this.#device.workerOf(vring)
  }

  /** Waits until all that was queued for its workers before this has run (VH-15). */
  async flush(): Promise<void> {
    await this.#device.flush()
  }

  /**
   * The end (VH-6): the frontend is disconnected; requests under way are finished, the workers end, the
   * memory is unmapped, everything is closed. Any number of calls.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    try {
      await this.#server.close()
    } finally {
      await this.#device.release()
    }
  }

  #tell(event: ServerEvent): void {
    switch (event.kind) {
      case 'connected':
        this.emit('connect')
        break
      case 'disconnected':
        this.emit('disconnect', event.reason)
        break
      case 'turned-away':
        this.emit('refuse')
        break
      case 'error':
        this.emit('problem', event.error)
        break
    }
  }
}

/**
 * Serves a virtio device to a virtual machine, by vhost-user.
 *
 * @example
 * ```ts
 * await using rng = await serve(new URL('./rng.js', import.meta.url), { socket: '/run/rng.sock' })
 * ```
 *
 * @param module - its default export makes the device: see {@link Device}. A URL, or an absolute path.
 * @returns once the socket listens; in the mode `client`, once it has begun to connect
 * @throws TypeError EINVAL: an option is wrong, or the module makes no device
 * @throws UserWorkerError ENOTSUP: this is no Linux, or the package `koffi` is not installed
 * @throws UserWorkerError ERR_MODULE_LOAD, ERR_NO_HANDLER: the module is no good; or what its function throws
 * @throws the system's error, such as EADDRINUSE: it cannot listen at that path
 */
export async function serve<Data = unknown>(
  module: URL | string,
  options: ServeOptions<Data>,
): Promise<ServedDevice> {
  const of = 'serve'
  const url = moduleUrl(`${of}: the module`, module)
  checkOptions(of, options, known)
  const { socket, mode, data, workers = 1, workerOptions = {} } = options
  const { reconnectMs = usualReconnectMs } = options
  const { name = basename(new URL(url).pathname).replace(/\.[cm]?[jt]s$/, '') } = options
  checkName(`${of}: name`, name)
  checkName(`${of}: socket`, socket)
  checkObject(`${of}: workerOptions`, workerOptions)
  if (typeof workers === 'number') checkInteger(`${of}: workers`, workers, 1, mostWorkers)
  else {
    checkArray(`${of}: workers`, workers)
    if (workers.length === 0 || !workers.every((each) => each instanceof VhostWorker)) {
      throw invalid(`${of}: workers must be a number, or VhostWorkers: at least one`)
    }
  }
  const device = await VhostDevice.create({ module: url, data, name, workers, workerOptions })
  try {
    return new ServedDevice(name, device, {
      socket,
      ...(mode === undefined ? {} : { mode }),
      reconnectMs,
    })
  } catch (error) {
    await device.release()
    throw error
  }
}
