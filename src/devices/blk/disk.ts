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
import { DiskRequest, type DiskSide } from './disk-request.js'
import type { RateLimit } from './rate-limit.js'
import { setWriteThrough } from './disk-words.js'
import * as spec from './spec.js'

/** What a disk is made of. */
export interface DiskParts extends DiskTraits {
  readonly backEnd: BackEnd
  readonly words: Words
  /** At most 20 bytes; what the guest sees as serial number. */
  readonly serial: string
  readonly limit?: RateLimit | null
  readonly trace?: ((request: DiskRequest) => void) | null
  /** Calls later, in this thread. Asked only where there is a limit. */
  readonly after?: (ms: number, run: () => void) => void
}

/** So many are kept for the next requests. */
const mostIdle = 1024

export class Disk implements Device, DiskSide {
  readonly id = spec.VIRTIO_ID_BLOCK
  readonly features: bigint
  readonly vrings: number
  readonly backEnd: BackEnd
  readonly words: Words
  readonly readOnly: boolean
  readonly serial: Uint8Array
  readonly trace: ((request: DiskRequest) => void) | null
  canFlush = true
  readonly #parts: DiskParts
  readonly #limit: RateLimit | null
  readonly #idle: DiskRequest[] = []

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
    // To switch write-back is of no use to who cannot flush (VIRTIO 1.x, 5.2.6.2).
    this.canFlush = (features >> BigInt(spec.VIRTIO_BLK_F_FLUSH)) % 2n === 1n
  }

  process(request: Request, vring: number): void {
    const own = this.#idle.pop() ?? new DiskRequest(this)
    const bytes = own.take(request, vring)
    const waitMs = this.#limit?.take(bytes) ?? 0
    if (waitMs > 0) this.#parts.after?.(waitMs, () => own.run())
    else own.run()
  }

  recycle(over: DiskRequest): void {
    if (this.#idle.length < mostIdle) this.#idle.push(over)
  }

  close(): void {
    this.backEnd.close()
  }
}
