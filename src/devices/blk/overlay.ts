/**
 * Copy on write: what is written goes to a file of its own, and what lies below stays as it is.
 *
 * A cluster that is written in part for the first time is made whole from below. Two threads must not do
 * so at once, or one takes away what the other has written: so whoever writes to clusters that are
 * not here yet has the lock of their stripe. Clusters that are here are written without.
 *
 *     lock ── copy what is missing at both ends ── write ── set the bits ── unlock
 *
 * Until the bits are set, nobody sees any of it; an end in between leaves the disk as it was. A thread
 * that ends in between leaves the lock behind: it bears the thread's number, so that others can tell, and
 * take it.
 *
 * @module
 */
import * as memory from '#memory'
import { osThreadId, sampleThread } from '../../os/proc.js'
import {
  inTurn,
  outcomeOf,
  type BackEnd,
  type Bytes,
  type Done,
  type Outcome,
  type Step,
} from './back-end.js'
import { FileBackEnd } from './file.js'
import { MappedBytes } from './mapped-bytes.js'
import { clusterBytes, OverlayFile } from './overlay-file.js'
import { freeLock, takeLock } from './stripe-locks.js'

/** What one lock is for. */
const stripeBytes: number = 64 * clusterBytes
const locks = 1024
/** Bears a lock where the system does not tell threads apart. */
const nobody = -1
/** When a lock is taken, it is tried again after so long. */
const retryMs = 1

/** The locks of an overlay: shared by its threads, and by nobody else. */
export function overlayLocks(): memory.Words {
  return memory.allocate(locks)
}

/** What an overlay is over, and where. */
export interface OverlayParts {
  readonly over: BackEnd
  readonly file: string
  readonly locks: memory.Words
  readonly isFirst: boolean
  /** Calls later, in this thread. */
  readonly after: (ms: number, run: () => void) => void
}

export class OverlayBackEnd implements BackEnd {
  readonly size: number
  readonly alignment: number
  readonly #parts: OverlayParts
  readonly #file: OverlayFile
  readonly #own: FileBackEnd
  /** What its locks bear: the number that the system gives to this thread, or that of nobody. */
  readonly #bearer: number = osThreadId() ?? nobody
  /** Memory for copies, used again. */
  readonly #spare: MappedBytes[] = []

  constructor(parts: OverlayParts) {
    this.#parts = parts
    this.size = parts.over.size
    this.alignment = parts.over.alignment
    this.#file = new OverlayFile(parts.file, this.size, parts.isFirst)
    this.#own = new FileBackEnd({ fd: this.#file.fd, size: this.size, alignment: 1 })
  }

  read(bytes: Bytes, offset: number, done: Done): Outcome {
    return inTurn(this.#reads(bytes, offset), done)
  }

  write(bytes: Bytes, offset: number, done: Done): Outcome {
    return inTurn(
      this.#changes(offset, bytes.length, (at, length) =>
        this.#own.write(part(bytes, at - offset, length), this.#file.dataStart + at),
      ),
      done,
    )
  }

  flush(): Outcome {
    return outcomeOf(this.#file.flush())
  }

  discard(offset: number, length: number): Outcome {
    for (const run of this.#runs(offset, length)) {
      if (!run.isHere) continue
      const outcome = this.#own.discard(this.#file.dataStart + run.at, run.length)
      if (outcome !== 'done') return outcome
    }
    return 'done'
  }

  zero(offset: number, length: number, _mayUnmap: boolean, done: Done): Outcome {
    return inTurn(
      this.#changes(offset, length, (at, some) =>
        this.#own.zero(this.#file.dataStart + at, some, true),
      ),
      done,
    )
  }

  close(): void {
    for (const each of this.#spare) each.free()
    this.#file.close()
    this.#own.close()
    this.#parts.over.close()
  }

  *#reads(bytes: Bytes, offset: number): Iterable<Step> {
    for (const { at, length, isHere } of this.#runs(offset, bytes.length)) {
      const some = part(bytes, at - offset, length)
      yield isHere
        ? () => this.#own.read(some, this.#file.dataStart + at)
        : (done) => this.#parts.over.read(some, at, done)
    }
  }

  /** Parts of a range that lie here, or below, as a whole. */
  *#runs(
    offset: number,
    length: number,
  ): Iterable<{ at: number; length: number; isHere: boolean }> {
    const end = offset + length
    for (let at = offset; at < end;) {
      let cluster = Math.floor(at / clusterBytes)
      const isHere = this.#file.has(cluster)
      do cluster++
      while (cluster * clusterBytes < end && this.#file.has(cluster) === isHere)
      const next = Math.min(end, cluster * clusterBytes)
      yield { at, length: next - at, isHere }
      at = next
    }
  }

  /** The steps of a change, a stripe each. */
  *#changes(
    offset: number,
    length: number,
    change: (at: number, length: number) => Outcome,
  ): Iterable<Step> {
    const end = offset + length
    for (let at = offset; at < end;) {
      const from = at
      const to = Math.min(end, (Math.floor(at / stripeBytes) + 1) * stripeBytes)
      yield (done) =>
        this.#areHere(from, to)
          ? change(from, to - from)
          : this.#locked(from, () => this.#filling(from, to, change), done)
      at = to
    }
  }

  /** The steps of a change to clusters that are not all here. */
  *#filling(
    from: number,
    to: number,
    change: (at: number, length: number) => Outcome,
  ): Iterable<Step> {
    const first = Math.floor(from / clusterBytes)
    const last = Math.floor((to - 1) / clusterBytes)
    const endOfLast = Math.min(this.size, (last + 1) * clusterBytes)
    if (!this.#file.has(first)) yield this.#copyUp(first * clusterBytes, from)
    if (!this.#file.has(last)) yield this.#copyUp(to, endOfLast)
    yield () => change(from, to - from)
    yield () => {
      this.#file.set(first, last + 1)
      return 'done'
    }
  }

  #areHere(from: number, to: number): boolean {
    const end = Math.ceil(to / clusterBytes)
    for (let cluster = Math.floor(from / clusterBytes); cluster < end; cluster++)
      if (!this.#file.has(cluster)) return false
    return true
  }

  /** Copies less than a cluster from below. */
  #copyUp(from: number, to: number): Step {
    const length = to - from
    if (length === 0) return () => 'done'
    return (done) => {
      const copy = this.#spare.pop() ?? new MappedBytes(clusterBytes)
      const bytes = { segments: copy, from: 0, length }
      const steps: Step[] = [
        (read) => this.#parts.over.read(bytes, from, read),
        () => this.#own.write(bytes, this.#file.dataStart + from),
      ]
      return atEnd(steps, () => this.#spare.push(copy), done)
    }
  }

  /** Does the steps while it has the lock of a stripe. */
  #locked(at: number, steps: () => Iterable<Step>, done: Done): Outcome {
    const lock = Math.floor(at / stripeBytes) % locks
    if (this.#take(lock)) return atEnd(steps(), () => freeLock(this.#parts.locks, lock), done)
    this.#parts.after(retryMs, () => {
      const outcome = this.#locked(at, steps, done)
      if (outcome !== 'later') done(outcome === 'done')
    })
    return 'later'
  }

  #take(lock: number): boolean {
    const isGone = (bearer: number): boolean => sampleThread(bearer) === null
    return takeLock(this.#parts.locks, lock, this.#bearer, isGone)
  }
}

/** Does the steps, and `cleanUp` at their end, whatever it is. */
function atEnd(steps: Iterable<Step>, cleanUp: () => void, done: Done): Outcome {
  const outcome = inTurn(steps, (ok) => {
    cleanUp()
    done(ok)
  })
  if (outcome !== 'later') cleanUp()
  return outcome
}

function part({ segments, from }: Bytes, skip: number, length: number): Bytes {
  return { segments, from: from + skip, length }
}
