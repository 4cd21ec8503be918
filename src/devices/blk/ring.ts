/**
 * A file by a ring of system calls: many requests at once from one thread. Past the page cache all of them
 * go by it. Through the page cache a call copies, at once; there only those go by the ring that take long,
 * and the kernel's threads do them, on other processors.
 *
 *     noted ── submitted, a few at once or at the next sleep ── completed ─┬─ all of it: done
 *       ↑                                                                  ├─ an error: failed
 *       └───────────────────────────────────────── a part of it, or again ─┘
 *
 * There are places for so many at once as the ring has entries; more wait for one.
 *
 * @module
 */
import { IORING_FSYNC_DATASYNC, IOSQE_ASYNC, operations, type Uring } from '../../os/uring.js'
import type { DeviceHost } from '../../vhost/index.js'
import type { BackEnd, Bytes, Done, Outcome } from './back-end.js'
import type { FileBackEnd } from './file.js'
import { Iovecs } from './iovecs.js'

/** As many requests at once: what a disk can do in parallel is far below. */
export const places = 128
const pollMark = 2 ** 32 - 1

const { IORING_OP_FSYNC, IORING_OP_READ, IORING_OP_READV } = operations
const { IORING_OP_WRITE, IORING_OP_WRITEV } = operations
const EINTR = -4
const EAGAIN = -11

interface Call {
  readonly kind: 'read' | 'write' | 'flush'
  readonly bytes: Bytes | null
  readonly offset: number
  readonly done: Done
  moved: number
}

/** Which calls go by the ring, and how. */
export interface RingUse {
  /** Reads and writes of so many bytes, or more. */
  readonly leastRead: number
  readonly leastWrite: number
  /** Whether threads of the kernel do them from the beginning: those that block, or copy for long. */
  readonly isAsync: boolean
}

/** Past the page cache a call is a command for the disk, and nothing to wait for. */
export const directUse: RingUse = { leastRead: 0, leastWrite: 0, isAsync: false }

/**
 * A long copy is worth another processor, and the way there. Not so writes: the kernel does those of one
 * file one after the other (measured).
 */
export const cachedUse: RingUse = { leastRead: 2 ** 18, leastWrite: Infinity, isAsync: true }

export class RingBackEnd implements BackEnd {
  readonly #file: FileBackEnd
  readonly #uring: Uring
  readonly #use: RingUse
  readonly #iovecs: Iovecs
  readonly #calls: (Call | null)[] = Array.from({ length: places }, () => null)
  readonly #free: number[] = Array.from({ length: places }, (_, place) => place)
  readonly #waiting: Call[] = []
  readonly #sleeping: { close(): void }
  /** The descriptor that the ring watches for the thread. */
  #polled = -1
  readonly #hear = (mark: number, result: number): void => {
    if (mark === pollMark) this.#polled = -1
    else this.#completed(mark, result)
  }

  /**
   * @param file - opened as it is to be used
   * @param uring - a new ring of {@link places} entries
   * @throws Error: the thread has a sleep of another's; the file and the ring stay the caller's
   */
  constructor(file: FileBackEnd, uring: Uring, use: RingUse, host: Pick<DeviceHost, 'sleepBy'>) {
    this.#file = file
    this.#uring = uring
    this.#use = use
    this.#sleeping = host.sleepBy((fd, timeoutMs) => this.#sleep(fd, timeoutMs))
    this.#iovecs = new Iovecs(places, file.alignment)
  }

  get size(): number {
    return this.#file.size
  }

  get alignment(): number {
    return this.#file.alignment
  }

  read(bytes: Bytes, offset: number, done: Done): Outcome {
    return this.#transfer({ kind: 'read', bytes, offset, done, moved: 0 })
  }

  write(bytes: Bytes, offset: number, done: Done): Outcome {
    return this.#transfer({ kind: 'write', bytes, offset, done, moved: 0 })
  }

  flush(done: Done): Outcome {
    return this.#begin({ kind: 'flush', bytes: null, offset: 0, done, moved: 0 })
  }

  discard(offset: number, length: number): Outcome {
    return this.#file.discard(offset, length)
  }

  zero(offset: number, length: number, mayUnmap: boolean): Outcome {
    return this.#file.zero(offset, length, mayUnmap)
  }

  close(): void {
    this.#sleeping.close()
    this.#uring.close()
    this.#iovecs.close()
    this.#file.close()
  }

  #transfer(call: Call): Outcome {
    const { bytes, offset } = call
    const length = bytes?.length ?? 0
    if ((offset | length) & (this.#file.alignment - 1)) return 'failed'
    const { leastRead, leastWrite } = this.#use
    const least = call.kind === 'read' ? leastRead : leastWrite
    return length < least ? this.#byFile(call) : this.#begin(call)
  }

  #begin(call: Call): Outcome {
    const place = this.#free.pop()
    if (place === undefined) {
      this.#waiting.push(call)
      return 'later'
    }
    this.#calls[place] = call
    return this.#note(place, call) ? 'later' : this.#byCall(place, call)
  }

  /** @returns false: the ring is not for it */
  #note(place: number, { kind, bytes, offset, moved }: Call): boolean {
    const uring = this.#uring
    const { fd } = this.#file
    const flags = this.#use.isAsync ? IOSQE_ASYNC : 0
    if (bytes === null)
      return uring.note(IORING_OP_FSYNC | flags, fd, 0, 0, 0, IORING_FSYNC_DATASYNC, place)
    const iovecs = this.#iovecs
    const count = iovecs.fill(place, bytes, moved)
    if (!iovecs.isAligned) return false
    const isRead = kind === 'read'
    const at = offset + moved
    if (count === 1) {
      const { firstAddress, firstLength } = iovecs
      const operation = isRead ? IORING_OP_READ : IORING_OP_WRITE
      return uring.note(operation | flags, fd, firstAddress, firstLength, at, 0, place)
    }
    const operation = isRead ? IORING_OP_READV : IORING_OP_WRITEV
    return uring.note(operation | flags, fd, iovecs.address(place), count, at, 0, place)
  }

  /** What the ring does not take: memory that is not aligned, which is copied; one at a time. */
  #byCall(place: number, call: Call): Outcome {
    this.#release(place)
    return this.#byFile(call)
  }

  #byFile({ kind, bytes, offset, done }: Call): Outcome {
    if (bytes === null) return this.#file.flush(done)
    return kind === 'read' ? this.#file.read(bytes, offset) : this.#file.write(bytes, offset)
  }

  #completed(place: number, result: number): void {
    const call = this.#calls[place]
    if (call === null || call === undefined) return
    const length = call.bytes?.length ?? 0
    const before = call.moved
    const moved = before + Math.max(0, result)
    // A part ends where the next one may begin. The end of the file is no part.
    call.moved = moved === length ? moved : moved - (moved % this.#file.alignment)
    const isAgain = result === EINTR || result === EAGAIN
    const isPart = call.moved > before && call.moved < length
    if (isAgain || isPart) {
      if (this.#note(place, call)) return
      return this.#end(this.#byCall(place, call), call)
    }
    this.#release(place)
    this.#end(result >= 0 && call.moved === length ? 'done' : 'failed', call)
  }

  #end(outcome: Outcome, { done }: Call): void {
    done(outcome === 'done')
    this.#nextWaiting()
  }

  #release(place: number): void {
    this.#calls[place] = null
    this.#free.push(place)
  }

  #nextWaiting(): void {
    while (this.#free.length > 0) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      const outcome = this.#begin(call)
      if (outcome !== 'later') call.done(outcome === 'done')
    }
  }

  /** @returns false when nothing is under way: the thread waits by itself, which costs a call less */
  #sleep(fd: number, timeoutMs: number): boolean {
    if (this.#free.length === places) return false
    const uring = this.#uring
    if (timeoutMs === 0 || uring.isReady) uring.enter(0, 0)
    else {
      if (this.#polled !== fd && uring.notePoll(fd, pollMark)) this.#polled = fd
      uring.enter(1, timeoutMs)
    }
    uring.reap(this.#hear)
    return true
  }
}
