/**
 * Where the bytes of a disk are.
 *
 * @module
 */
import type { Segments } from '../../virtio/index.js'

/** What became of an operation: all of it, nothing that counts, or it goes on. */
export type Outcome = 'done' | 'failed' | 'later'

/** Is told of the end of an operation that went on: once, and only then. */
export type Done = (ok: boolean) => void

/** The part of a request's memory that an operation is about. It is not to be touched afterwards. */
export interface Bytes {
  readonly segments: Segments
  /** Where it begins in {@link segments}. */
  readonly from: number
  readonly length: number
}

/**
 * The bytes behind a disk, as one thread sees them: each thread has a back end of its own, over the
 * same bytes. `back-end.contract.ts` is what all of them hold.
 *
 * Callers have checked that a range lies on the disk. Offsets and lengths are multiples of 512. Where
 * an operation fails, its range holds anything; nothing beside it has changed.
 */
export interface BackEnd {
  /** Bytes, as it was opened. */
  readonly size: number
  /** What offsets and lengths must be multiples of: a power of two. */
  readonly alignment: number
  read(bytes: Bytes, offset: number, done: Done): Outcome
  write(bytes: Bytes, offset: number, done: Done): Outcome
  /** All that was done before survives the loss of power. */
  flush(done: Done): Outcome
  /** The bytes are of no use any more. What is read afterwards may be anything. */
  discard(offset: number, length: number, done: Done): Outcome
  /** @param mayUnmap - whether space that was taken may be given back */
  zero(offset: number, length: number, mayUnmap: boolean, done: Done): Outcome
  close(): void
}

/** A step of several: an operation with its end left open. */
export type Step = (done: Done) => Outcome

export const outcomeOf = (ok: boolean): Outcome => (ok ? 'done' : 'failed')

/** Does one step after the other, until one fails. */
export function inTurn(steps: Iterable<Step>, done: Done): Outcome {
  const left = steps[Symbol.iterator]()
  let isLater = false
  const goOn = (): Outcome => {
    for (;;) {
      const step = left.next()
      if (step.done === true) return 'done'
      const outcome = step.value(resume)
      if (outcome !== 'done') return outcome
    }
  }
  const resume: Done = (ok) => {
    const outcome = ok ? goOn() : 'failed'
    if (isLater && outcome !== 'later') done(outcome === 'done')
  }
  const first = goOn()
  isLater = first === 'later'
  return first
}
