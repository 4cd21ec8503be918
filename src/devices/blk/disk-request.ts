/**
 * One request on its way through a disk. They are used again, so that a request costs no memory.
 *
 *     begin ── bad: answered at once
 *       │
 *     operation, the back end's: done, failed, or later
 *       │
 *     flush, where the disk writes through and this was a write
 *       │
 *     status byte, complete
 *
 * @module
 */
import type { Words } from '#memory'
import { now } from '../../os/clock.js'
import type { Request, Segments } from '../../virtio/index.js'
import {
  inTurn,
  outcomeOf,
  type BackEnd,
  type Bytes,
  type Done,
  type Outcome,
  type Step,
} from './back-end.js'
import { mostDiscarded, mostRanges, mostZeroed } from './config.js'
import { headerBytes, rangesOf, RequestHeader, type SectorRange } from './request-header.js'
import { capacityOf, count, countBytes, isWriteThrough, type Counted } from './disk-words.js'
import * as spec from './spec.js'

/** What the requests of one thread have in common. */
export interface DiskSide {
  readonly backEnd: BackEnd
  readonly words: Words
  readonly readOnly: boolean
  /** What GET_ID answers, padded. */
  readonly serial: Uint8Array
  /** Whether the driver knows flushes: without, each write must be one. */
  canFlush: boolean
  /** Is told of each request's end, before it goes back. */
  readonly trace: ((request: DiskRequest) => void) | null
  /** Takes one that is over. */
  recycle(request: DiskRequest): void
}

const { sectorBytes, VIRTIO_BLK_S_OK, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_UNSUPP } = spec
const nothing = null as never
/** As one status byte. */
const statusByte = new Uint8Array(1)

export class DiskRequest implements Bytes {
  readonly #side: DiskSide
  readonly header = new RequestHeader()
  request: Request = nothing
  vring = 0
  status = 0
  /** The data of the request. */
  segments: Segments = nothing
  from = 0
  length = 0
  /** When it came, for the trace. */
  cameMs = 0
  #isFlushDue = false
  readonly #done: Done = (ok) => this.#goOn(outcomeOf(ok))

  constructor(side: DiskSide) {
    this.#side = side
  }

  /** Takes up a request. @returns how many bytes it moves: for a limit on them */
  take(request: Request, vring: number): number {
    this.request = request
    this.vring = vring
    this.segments = request.readable
    this.from = 0
    this.length = 0
    this.#isFlushDue = false
    if (this.#side.trace !== null) this.cameMs = now()
    this.header.type = -1
    this.header.sector = 0
    if (request.writable.length === 0 || !this.header.copyFrom(request.readable)) return 0
    if (this.header.type === spec.VIRTIO_BLK_T_IN) {
      this.segments = request.writable
      this.length = request.writable.length - 1
    } else if (this.header.type === spec.VIRTIO_BLK_T_OUT) {
      this.from = headerBytes
      this.length = request.readable.length - headerBytes
    }
    return this.length
  }

  /** Does it. */
  run(): void {
    const { words } = this.#side
    switch (this.header.type) {
      case spec.VIRTIO_BLK_T_IN:
        return this.#move('reads', true)
      case spec.VIRTIO_BLK_T_OUT:
        return this.#side.readOnly ? this.#end(VIRTIO_BLK_S_IOERR) : this.#move('writes', false)
      case spec.VIRTIO_BLK_T_FLUSH:
        count(words, 'flushes')
        return this.#goOn(this.#side.backEnd.flush(this.#done))
      case spec.VIRTIO_BLK_T_GET_ID:
        count(words, 'others')
        return this.#identify()
      case spec.VIRTIO_BLK_T_DISCARD:
        return this.#ranges('discards')
      case spec.VIRTIO_BLK_T_WRITE_ZEROES:
        return this.#ranges('zeroes')
      case -1:
        return this.#end(VIRTIO_BLK_S_IOERR)
      default:
        return this.#end(VIRTIO_BLK_S_UNSUPP)
    }
  }

  #move(what: Counted, isRead: boolean): void {
    const { backEnd, words } = this.#side
    const { sector } = this.header
    if (this.length % sectorBytes !== 0 || !this.#isOnDisk(sector, this.length / sectorBytes))
      return this.#end(VIRTIO_BLK_S_IOERR)
    count(words, what)
    countBytes(words, this.length, isRead)
    if (this.length === 0) return this.#end(VIRTIO_BLK_S_OK)
    const offset = sector * sectorBytes
    if (isRead) return this.#goOn(backEnd.read(this, offset, this.#done))
    this.#isFlushDue = this.#writesThrough()
    this.#goOn(backEnd.write(this, offset, this.#done))
  }

  #identify(): void {
    const { writable } = this.request
    const { serial } = this.#side
    const length = Math.min(writable.length - 1, serial.length)
    writable.write(0, serial.subarray(0, length))
    this.#end(VIRTIO_BLK_S_OK)
  }

  #ranges(what: 'discards' | 'zeroes'): void {
    const { backEnd, words, readOnly } = this.#side
    if (readOnly) return this.#end(VIRTIO_BLK_S_IOERR)
    const ranges = rangesOf(this.request.readable, mostRanges)
    if (ranges === null) return this.#end(VIRTIO_BLK_S_IOERR)
    const known = what === 'zeroes' ? spec.VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0
    if (ranges.some(({ flags }) => (flags & ~known) !== 0)) return this.#end(VIRTIO_BLK_S_UNSUPP)
    const most = what === 'zeroes' ? mostZeroed : mostDiscarded
    if (!ranges.every((range) => this.#isFit(range, most))) return this.#end(VIRTIO_BLK_S_IOERR)
    count(words, what)
    this.#isFlushDue = what === 'zeroes' && this.#writesThrough()
    const steps = ranges
      .filter(({ sectors }) => sectors > 0)
      .map(({ sector, sectors, flags }): Step => {
        const [offset, length] = [sector * sectorBytes, sectors * sectorBytes]
        return what === 'discards'
          ? (done) => backEnd.discard(offset, length, done)
          : (done) => backEnd.zero(offset, length, flags !== 0, done)
      })
    this.#goOn(inTurn(steps, this.#done))
  }

  #isFit({ sector, sectors }: SectorRange, most: number): boolean {
    return sectors <= most && this.#isOnDisk(sector, sectors)
  }

  #isOnDisk(sector: number, sectors: number): boolean {
    const capacity = capacityOf(this.#side.words)
    return sector <= capacity && sectors <= capacity - sector
  }

  #writesThrough(): boolean {
    return !this.#side.canFlush || isWriteThrough(this.#side.words)
  }

  #goOn(outcome: Outcome): void {
    if (outcome === 'later') return
    if (outcome === 'done' && this.#isFlushDue) {
      this.#isFlushDue = false
      return this.#goOn(this.#side.backEnd.flush(this.#done))
    }
    this.#end(outcome === 'done' ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR)
  }

  /** The last byte that may be written is the status. Without one, nobody is told. */
  #end(status: number): void {
    const { request } = this
    const side = this.#side
    const room = request.writable.length
    this.status = status
    if (status !== VIRTIO_BLK_S_OK)
      count(side.words, status === VIRTIO_BLK_S_IOERR ? 'ioErrors' : 'unsupported')
    if (room > 0) {
      statusByte[0] = status
      request.writable.write(room - 1, statusByte)
    }
    side.trace?.(this)
    this.request = nothing
    this.segments = nothing
    side.recycle(this)
    request.complete(room)
  }
}
