/**
 * `serveDisk`: a disk at a socket.
 *
 * @module
 */
import { resolve } from 'node:path'
import { UserWorkerError, invalid } from '../../errors.js'
import { builtin } from '../../os/builtin.js'
import { close, event, signal } from '../../os/events.js'
import { deviceBytes, pathOfDescriptor } from '../../os/file-io.js'
import { memoryFile } from '../../os/mapping.js'
import { freshSeed } from '../../os/random.js'
import { checkInteger, checkName, checkNumber, checkOptions } from '../../validate.js'
import { serve, type ServedDevice, type ServeOptions } from '../../vhost/index.js'
import type { DiskData } from './device.js'
import { faultsOf, type FaultRule, type Faults } from './fault-rules.js'
import { faultsSoFar, faultWords } from './faults.js'
import { Journal } from './journal.js'
import { traceMessages } from './message-trace.js'
import { openLayer, type FaultsLayer, type FileLayer, type Layer } from './layers.js'
import { overlayLocks } from './overlay.js'
import { countsOf, setCapacity, diskWords, type DiskCounts } from './disk-words.js'
import { sectorBytes } from './spec.js'

/** How a disk is to be served. */
export interface ServeDiskOptions extends Pick<
  ServeOptions,
  'socket' | 'mode' | 'reconnectMs' | 'name' | 'workers' | 'workerOptions'
> {
  /** The guest may not write. Default false. */
  readonly readOnly?: boolean
  /** Past the page cache (O_DIRECT), many requests at once by io_uring. Default false. */
  readonly direct?: boolean
  /** How many queues it has, from 1 to 256. Default 1. Unless told, as many workers, at most one per processor. */
  readonly queues?: number
  /**
   * What is written goes to this file, which is made where it is not there, and the image stays as it is;
   * `true` is a file in memory, gone at the end.
   */
  readonly overlay?: string | true
  /** What goes wrong: rules, or a text of them; see the guide. */
  readonly faults?: string | readonly FaultRule[]
  /** The same seed gives the same faults: from 0 to 2^32 - 1. Default a new one. */
  readonly seed?: number
  /** At most so many bytes in a second, in all: from 512 to 1e15. Requests above it wait. */
  readonly bps?: number
  /** At most so many requests in a second, in all: from 1 to 1e9. Requests above it wait. */
  readonly iops?: number
  /** What the guest sees as serial number: at most 20 bytes. Default 'userworker'. */
  readonly serial?: string
  /** Bytes of a logical block: a power of two from 512 to 65536. Default 512. */
  readonly blockSize?: number
  /** Lines of JSON about each message and each request are added to this file. See the guide. */
  readonly trace?: string
}

const known = [
  'socket',
  'mode',
  'reconnectMs',
  'name',
  'workers',
  'workerOptions',
  'readOnly',
  'direct',
  'queues',
  'overlay',
  'faults',
  'seed',
  'bps',
  'iops',
  'serial',
  'blockSize',
  'trace',
] as const satisfies readonly (keyof ServeDiskOptions)[]

/** What a disk has done since it is served. Counts go round at 2^32. */
export interface DiskStats extends DiskCounts {
  /** Faults that came, rule by rule, in the order of the option. */
  readonly faults: readonly number[]
}

/** A disk that is served. Made by {@link serveDisk}. */
export class ServedDisk {
  /** Its connections, workers and events. */
  readonly device: ServedDevice
  /** The seed of its faults. */
  readonly seed: number
  readonly #plan: Plan
  /** Its end, once that has begun. */
  #end: Promise<void> | null = null

  /** @internal */
  constructor(device: ServedDevice, plan: Plan) {
    this.device = device
    this.seed = plan.seed
    this.#plan = plan
  }

  /** What it has done so far. It costs next to nothing. */
  stats(): DiskStats {
    const { faults, data } = this.#plan
    return { ...countsOf(data.words), faults: faults === null ? [] : faultsSoFar(faults.words) }
  }

  /**
   * Makes the disk larger or smaller, and tells the guest at once. The file becomes as long; a block
   * device has to be so already.
   *
   * @param bytes - a multiple of 512
   * @throws TypeError EINVAL: it is none; UserWorkerError ENOTSUP: this disk keeps its size, as one with an
   * overlay or in memory does; ENOSYS: it is not served any more; the system's error
   */
  resize(bytes: number): void {
    const { bottom, data } = this.#plan
    checkInteger('resize: bytes', bytes, sectorBytes, 2 ** 53 - sectorBytes)
    if (bytes % sectorBytes !== 0) throw invalid(`resize: bytes must be a multiple of 512`)
    if (bottom.kind !== 'file' || this.#plan.hasOverlay || data.readOnly)
      throw new UserWorkerError(
        'ENOTSUP',
        'A disk with an overlay, in memory, or read-only keeps its size',
      )
    this.#checkServed()
    const fs = builtin('node:fs')
    const before = fs.statSync(bottom.file)
    if (!before.isFile() && bytes > bytesOfDevice(bottom.file))
      throw new UserWorkerError('ENOTSUP', `The device '${bottom.file}' is smaller`)
    if (before.isFile() && bytes > before.size) fs.truncateSync(bottom.file, bytes)
    setCapacity(data.words, bytes)
    if (before.isFile() && bytes < before.size) fs.truncateSync(bottom.file, bytes)
    signal(data.resized)
  }

  /** The end: see {@link ServedDevice.close}. Any number of calls. */
  close(): Promise<void> {
    this.#end ??= this.#finish(() => {})
    return this.#end
  }

  /**
   * The end, as if the power failed: what was not flushed is gone. Where faults lose flushes, those count
   * as none. Requests under way are finished before.
   *
   * @throws UserWorkerError ENOTSUP: its faults neither say `volatile` nor lose flushes
   * @throws UserWorkerError ENOSYS: it is not served any more
   * @throws UserWorkerError ERR_DISK_IMAGE: what was written could not be undone
   */
  async crash(): Promise<void> {
    const { faults } = this.#plan
    if (faults === null || faults.journal === null)
      throw new UserWorkerError('ENOTSUP', "For a crash, the disk's faults must have 'volatile'")
    this.#checkServed()
    this.#end = this.#finish(() => undo(faults))
    await this.#end
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @param last - is done when nobody serves it any more, and before its files in memory are gone */
  async #finish(last: () => void): Promise<void> {
    try {
      await this.device.close()
      last()
    } finally {
      free(this.#plan)
    }
  }

  #checkServed(): void {
    if (this.#end === null) return
    throw new UserWorkerError('ENOSYS', `Disk '${this.device.name}' is not served any more`)
  }
}

/** What `serveDisk` has made of its arguments. */
interface Plan {
  readonly data: DiskData
  readonly seed: number
  readonly faults: FaultsLayer | null
  /** Where the bytes are in the end. */
  readonly bottom: Layer
  readonly hasOverlay: boolean
  /** What is closed at the end, beside the device. */
  readonly ends: { close(): void }[]
}

/**
 * Serves a disk to a virtual machine, by vhost-user.
 *
 * @example
 * ```ts
 * await using disk = await serveDisk('/images/debian.raw', { socket: '/run/disk.sock', queues: 2 })
 * ```
 *
 * @param image - the absolute or relative path of a file or block device, or shared memory
 * @returns once the socket listens
 * @throws TypeError EINVAL: an option is wrong
 * @throws UserWorkerError ERR_DISK_IMAGE: the image or the overlay is missing, locked by another program, of
 * a size that is no multiple of 512, a directory, or may not be opened
 * @throws what `serve` throws
 */
export async function serveDisk(
  image: string | SharedArrayBuffer,
  options: ServeDiskOptions,
): Promise<ServedDisk> {
  checkDisk(options)
  const plan = planOf(image, options)
  const { trace } = plan.data
  const { socket, mode, reconnectMs, name = 'disk', workerOptions } = options
  const workers = options.workers ?? Math.min(plan.data.queues, processors())
  try {
    if (trace !== null) plan.ends.push(traceMessages(trace, socket))
    const device = await serve(new URL('./device.js', import.meta.url), {
      socket,
      name,
      workers,
      data: plan.data,
      ...(mode === undefined ? {} : { mode }),
      ...(reconnectMs === undefined ? {} : { reconnectMs }),
      ...(workerOptions === undefined ? {} : { workerOptions }),
    })
    return new ServedDisk(device, plan)
  } catch (error) {
    free(plan)
    throw error
  }
}

function bytesOfDevice(file: string): number {
  const fs = builtin('node:fs')
  const fd = fs.openSync(file, 'r')
  try {
    return deviceBytes(fd)
  } finally {
    fs.closeSync(fd)
  }
}

const processors = (): number => builtin('node:os').availableParallelism()

function checkDisk(options: ServeDiskOptions): void {
  const of = 'serveDisk'
  checkOptions(of, options, known)
  const { queues = 1, blockSize = 512, serial = '', seed = 0, bps, iops, overlay, trace } = options
  checkInteger(`${of}: queues`, queues, 1, 256)
  checkInteger(`${of}: blockSize`, blockSize, 512, 65536)
  if (!Number.isInteger(Math.log2(blockSize)))
    throw invalid(`${of}: blockSize must be a power of two, not ${blockSize}`)
  checkInteger(`${of}: seed`, seed, 0, 2 ** 32 - 1)
  if (bps !== undefined) checkNumber(`${of}: bps`, bps, 512, 1e15)
  if (iops !== undefined) checkNumber(`${of}: iops`, iops, 1, 1e9)
  if (new TextEncoder().encode(serial).length > 20)
    throw invalid(`${of}: serial must have at most 20 bytes`)
  if (overlay !== undefined && overlay !== true) checkName(`${of}: overlay`, overlay)
  if (trace !== undefined) checkName(`${of}: trace`, trace)
}

function planOf(image: string | SharedArrayBuffer, options: ServeDiskOptions): Plan {
  const { overlay, direct = false, seed = freshSeed() } = options
  const faults: Faults | null = options.faults === undefined ? null : faultsOf(options.faults)
  const bottom = bottomOf(image, direct)
  const ends: Plan['ends'] = []
  const closedAtEnd = (fd: number): void => {
    ends.push({ close: () => close(fd) })
  }
  const inMemory = (name: string, bytes: number): string => {
    const fd = memoryFile(name, bytes)
    closedAtEnd(fd)
    return pathOfDescriptor(fd)
  }
  const resized = event()
  closedAtEnd(resized)
  let layer = bottom
  if (overlay !== undefined) {
    const file = overlay === true ? inMemory('overlay', 0) : resolve(overlay)
    layer = { kind: 'overlay', over: layer, file, locks: overlayLocks() }
  }
  let faultsLayer: FaultsLayer | null = null
  if (faults !== null) {
    const { rules, isVolatile } = faults
    const journal = isVolatile ? inMemory('journal', 0) : null
    faultsLayer = { kind: 'faults', over: layer, rules, seed, words: faultWords(rules), journal }
    layer = faultsLayer
  }
  const data: DiskData = {
    layer,
    words: diskWords(0),
    readOnly: options.readOnly ?? false,
    queues: options.queues ?? 1,
    blockSize: options.blockSize ?? 512,
    serial: options.serial ?? 'userworker',
    bps: options.bps ?? null,
    iops: options.iops ?? null,
    trace: options.trace === undefined ? null : resolve(options.trace),
    resized,
  }
  return {
    data,
    seed,
    faults: faultsLayer,
    bottom,
    hasOverlay: overlay !== undefined,
    ends,
  }
}

/** Closes what a disk has beside its device, once. */
function free({ ends }: Plan): void {
  for (const each of ends.splice(0)) each.close()
}

function bottomOf(image: string | SharedArrayBuffer, direct: boolean): Layer {
  if (typeof image === 'string') {
    checkName('serveDisk: the image', image)
    return { kind: 'file', file: resolve(image), direct } satisfies FileLayer
  }
  // Other memory would be another disk in each thread.
  const isShared = Object.prototype.toString.call(image) === '[object SharedArrayBuffer]'
  if (isShared && image.byteLength > 0 && image.byteLength % sectorBytes === 0)
    return { kind: 'memory', bytes: image }
  throw invalid('serveDisk: the image must be a path, or a SharedArrayBuffer of n times 512 bytes')
}

/** Undoes what was not flushed. */
function undo({ over, words, rules, journal }: FaultsLayer): void {
  const host = {
    isControl: true,
    sleepBy: () => {
      throw new Error('Nothing sleeps here')
    },
  }
  const below = openLayer(over, { readOnly: false, host, after: () => {} })
  const noted = new Journal(journal as string, words, 2 * rules.length)
  try {
    if (!noted.undo(below)) throw new UserWorkerError('ERR_DISK_IMAGE', 'The crash failed half-way')
  } finally {
    noted.close()
    below.close()
  }
}
