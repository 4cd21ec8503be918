/**
 * A frontend for tests of devices: it plays QEMU over a real socket, with real descriptors and memory.
 *
 * @module
 */
import { checkInteger, checkOptions } from '../validate.js'
import { after, now } from '../os/clock.js'
import { close } from '../os/events.js'
import { Pending } from '../os/pending.js'
import { connect, listen } from '../os/sockets.js'
import { VIRTIO_F_VERSION_1 } from '../virtio/index.js'
import { usualFeatures, usualProtocolFeatures } from './frontend-features.js'
import { Listening, type FrontendListener } from './frontend-listener.js'
import { FrontendMemory, type RegionLayout } from './frontend-memory.js'
import { FrontendQueue } from './frontend-queue.js'
import { FrontendSteps } from './frontend-steps.js'

/** What a frontend is like. */
export interface FrontendOptions {
  /** The guest's memory: its length in bytes, or its regions; 16 MiB unless told. */
  readonly memory?: number | readonly RegionLayout[]
  /** How many queues the driver uses, from 1 to 256; 1 unless told. */
  readonly queues?: number
  /** The number of descriptors of each: a power of two up to 32768; 128 unless told. */
  readonly queueSize?: number
  /** The features that the driver takes, where they are offered; all it knows unless told. */
  readonly features?: bigint
  /**
   * The features of the protocol that it uses, where they are offered; those of QEMU 7.2 for a disk
   * unless told.
   */
  readonly protocolFeatures?: bigint
  /** How many bytes of the configuration space are read at first, as QEMU does; 0 unless told. */
  readonly configBytes?: number
  /** How long to wait for a backend that does not listen yet, in milliseconds; 0 unless told. */
  readonly waitMs?: number
}

type Settings = Required<FrontendOptions>

const names = [
  'memory',
  'queues',
  'queueSize',
  'features',
  'protocolFeatures',
  'configBytes',
  'waitMs',
] as const

const retryMs = 10

/**
 * A frontend. It begins requests of the driver, as a guest does, and sets the device up, as QEMU does.
 *
 * @example
 * ```ts
 * await using frontend = await Frontend.connect(path)
 * const { writable } = await frontend.queue.request([header], [512, 1])
 * ```
 */
export class Frontend extends FrontendSteps implements AsyncDisposable {
  readonly #settings: Settings
  /** Where the backend listens; null where it connected by itself. */
  readonly #path: string | null
  #hasMemory = false

  private constructor(fd: number, path: string | null, settings: Settings) {
    const { memory, queues } = settings
    const layouts = typeof memory === 'number' ? [{ guest: 0, size: memory }] : memory
    const made = new FrontendMemory(layouts)
    const all = Array.from(
      { length: queues },
      (_, index) => new FrontendQueue(index, made.forDrivers),
    )
    super(fd, made, all)
    this.#settings = settings
    this.#path = path
  }

  /**
   * Connects to a backend, agrees with it on everything, and starts all queues, in the order of QEMU 7.2.
   *
   * @param path - of the backend's socket
   * @throws TypeError EINVAL: an option is wrong; the system's error: nobody listens there
   */
  static async connect(path: string, options: FrontendOptions = {}): Promise<Frontend> {
    const frontend = await Frontend.open(path, options)
    try {
      await frontend.negotiate()
      await frontend.startLikeQemu()
      return frontend
    } catch (error) {
      await frontend.close()
      throw error
    }
  }

  /** Connects to a backend, and sends nothing. The arguments are those of {@link connect}. */
  static async open(path: string, options: FrontendOptions = {}): Promise<Frontend> {
    const settings = checked(options)
    return Frontend.#over(await connected(path, settings.waitMs), path, settings)
  }

  /** Listens for backends that connect by themselves. The options are those of each frontend. */
  static listen(path: string, options: FrontendOptions = {}): FrontendListener<Frontend> {
    const settings = checked(options)
    return new Listening(listen(path), (fd) => Frontend.#over(fd, null, settings))
  }

  static #over(fd: number, path: string | null, settings: Settings): Frontend {
    try {
      return new Frontend(fd, path, settings)
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /** The first queue. */
  get queue(): FrontendQueue {
    return this.queues[0] as FrontendQueue
  }

  /**
   * Agrees with the backend on the protocol, in the order of QEMU 7.2 when it makes the device.
   *
   * @throws Error: the backend has fewer queues than the frontend was told to use
   */
  async negotiate(): Promise<void> {
    await this.#handshake()
    const { configBytes } = this.#settings
    if (configBytes > 0 && this.uses('CONFIG')) await this.getConfig(0, configBytes)
  }

  /**
   * Starts all queues, in the order of QEMU 7.2 when a driver has said that it is ready. Queues are laid
   * out anew.
   *
   * @param features - those that the driver takes, where they are offered; as the options say unless told
   */
  async startLikeQemu(features: bigint = this.#settings.features): Promise<void> {
    const { queueSize: size } = this.#settings
    this.setFeatures(features)
    if (this.uses('INFLIGHT_SHMFD')) await this.getInflight(size)
    for (const queue of this.queues) queue.setUp({ size, features: this.features })
    await this.#start(features, () => 0)
  }

  /** Stops all queues, as QEMU does when the guest resets the device. @returns where each has stopped */
  async stopLikeQemu(): Promise<number[]> {
    const bases: number[] = []
    await this.#each((queue) => this.enable(queue, false))
    for (const queue of this.queues) {
      bases.push(await this.getBase(queue))
      queue.drain()
    }
    return bases
  }

  /**
   * Starts as a guest does that boots: first the firmware drives the device, with fewer features; then it
   * is stopped; then the system's driver starts it again.
   *
   * @param atFirmware - what is done meanwhile
   */
  async bootLikeQemu(atFirmware: () => void | Promise<void> = () => {}): Promise<void> {
    const firmware = VIRTIO_F_VERSION_1 | 0x44n
    await this.startLikeQemu(firmware)
    await atFirmware()
    await this.stopLikeQemu()
    await this.startLikeQemu()
  }

  /**
   * Connects again after the backend's end, as QEMU does with `reconnect`: queues go on where they are,
   * and the backend finishes what was under way.
   */
  async reconnectLikeQemu(): Promise<void> {
    if (this.#path === null) throw new Error('The backend connects by itself')
    await this.reconnectTo(await connected(this.#path, this.#settings.waitMs))
  }

  /** The same over a connection that is there; its descriptor is taken over. */
  protected async reconnectTo(fd: number): Promise<void> {
    this.replaceConnection(fd)
    this.#hasMemory = false
    const { features } = this
    await this.#handshake()
    this.setFeatures(features)
    await this.#start(features, (queue) => queue.usedIndex)
    for (const queue of this.queues) queue.kick()
  }

  /** Closes the connection, and unmaps the memory: views of it must not be touched any more. */
  async close(): Promise<void> {
    for (const queue of this.queues) queue.close()
    await this.closeSteps()
    this.memory.close()
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #handshake(): Promise<void> {
    await this.getFeatures()
    await this.setProtocolFeatures(this.#settings.protocolFeatures)
    if (this.uses('MQ')) {
      const { payload } = await this.call('GET_QUEUE_NUM', null)
      const count = this.queues.length
      if (payload < count) throw new Error(`The backend has ${payload} queues, not ${count}`)
    }
    if (this.uses('CONFIGURE_MEM_SLOTS')) await this.call('GET_MAX_MEM_SLOTS', null)
    if (this.uses('BACKEND_REQ')) await this.setBackendChannel()
    this.send('SET_OWNER', null)
    await this.getFeatures()
    await this.#each((queue) => this.setCall(queue))
  }

  async #start(features: bigint, baseOf: (queue: FrontendQueue) => number): Promise<void> {
    this.setInflight()
    await this.#each(({ index, callFd }) => {
      this.send('SET_VRING_CALL', { index, hasDescriptor: true }, [callFd])
    })
    this.setFeatures(features)
    // With slots QEMU sends each region once, and never again while the connection lasts.
    if (!this.#hasMemory || !this.uses('CONFIGURE_MEM_SLOTS')) await this.setMemory()
    this.#hasMemory = true
    await this.#each((queue) => this.setRing(queue, baseOf(queue)))
    await this.#each((queue) => this.enable(queue, true))
  }

  /** Queue by queue. Where they are many, the backend has to read before there is room for more. */
  async #each(step: (queue: FrontendQueue) => void): Promise<void> {
    for (const queue of this.queues) {
      step(queue)
      if (queue.index % 16 === 15) await this.sync()
    }
  }
}

/** Connects, and tries again while the backend does not listen yet. */
async function connected(path: string, waitMs: number): Promise<number> {
  const until = now() + waitMs
  for (;;) {
    try {
      return connect(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const mayCome = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EAGAIN'
      if (!mayCome || now() >= until) throw error
    }
    const pause = new Pending<void>(`a backend that listens at ${path}`)
    after(retryMs, () => pause.resolve())
    await pause.promise
  }
}

function checked(options: FrontendOptions): Settings {
  checkOptions('Frontend', options, names)
  const settings = {
    memory: 16 * 2 ** 20,
    queues: 1,
    queueSize: 128,
    features: usualFeatures,
    protocolFeatures: usualProtocolFeatures,
    configBytes: 0,
    waitMs: 0,
    ...options,
  }
  checkInteger('queues', settings.queues, 1, 256)
  checkInteger('queueSize', settings.queueSize, 1, 32_768)
  checkInteger('configBytes', settings.configBytes, 0, 256)
  checkInteger('waitMs', settings.waitMs, 0, 2 ** 31 - 1)
  return settings
}
