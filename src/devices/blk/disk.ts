/**
 * A disk, as the worker layer sees it: requests in, status bytes out.
 *
 * @module
 */
import type { Words } from '#memory'
import type { Device } from '../../vhost/index.js'
import type { Request } from '../../virtio/index.js'
import type { BackEnd } from './back-end.js'
import { configOf, featuresOf, writebackOf, type DiskTraits } from './config.js'
import { Job, type DiskSide } from './job.js'
import type { RateLimit } from './rate-limit.js'
import { setWriteThrough } from './shared-state.js'
import * as spec from './spec.js'

/** What a disk is made of. */
export interface DiskParts extends DiskTraits {
  readonly backEnd: BackEnd
  readonly words: Words
  /** At most 20 bytes; what the guest sees as serial number. */
  readonly serial: string
  readonly limit?: RateLimit | null
  readonly trace?: ((job: Job) => void) | null
  /** Calls later, in this thread. Asked only where there is a limit. */
  readonly after?: (ms: number, run: () => void) => void
}

/** Jobs that are kept for the next requests. */
const mostIdleJobs = 1024

export class Disk implements Device, DiskSide {
  readonly id = spec.VIRTIO_ID_BLOCK
  readonly features: bigint
  readonly vrings: number
  readonly backEnd: BackEnd
  readonly words: Words
  readonly readOnly: boolean
  readonly serial: Uint8Array
  readonly trace: ((job: Job) => void) | null
  canFlush = true
  readonly #parts: DiskParts
  readonly #limit: RateLimit | null
  readonly #idle: Job[] = []

  constructor(parts: DiskParts) {
    this.#parts = parts
    this.features = featuresOf(parts)
    this.vrings = parts.queues
    this.backEnd = parts.backEnd
    this.words = parts.words
    this.readOnly = parts.readOnly
    this.serial = new Uint8Array(spec.VIRTIO_BLK_ID_BYTES)
    new TextEncoder().encodeInto(parts.serial, this.serial)
    this.trace = parts.trace ?? null
    this.#limit = parts.limit ?? null
  }

  config(): Uint8Array {
    return configOf(this.#parts, this.words)
  }

  writeConfig(offset: number, bytes: Uint8Array): boolean {
    const writeback = writebackOf(offset, bytes)
    if (writeback === null) return false
    setWriteThrough(this.words, writeback === 0)
    return true
  }

  negotiated(features: bigint): void {
    const has = (bit: number): boolean => (features >> BigInt(bit)) % 2n === 1n
    this.canFlush = has(spec.VIRTIO_BLK_F_FLUSH) || has(spec.VIRTIO_BLK_F_CONFIG_WCE)
  }

  process(request: Request, vring: number): void {
    const job = this.#idle.pop() ?? new Job(this)
    const bytes = job.take(request, vring)
    const waitMs = this.#limit?.take(bytes) ?? 0
    if (waitMs > 0) this.#parts.after?.(waitMs, () => job.run())
    else job.run()
  }

  recycle(job: Job): void {
    if (this.#idle.length < mostIdleJobs) this.#idle.push(job)
  }

  close(): void {
    this.backEnd.close()
  }
}
