/**
 * Works that run after others (WQ-36): each waits here until all of those are done. If one of them is
 * not, it is cancelled, and with it what waits for it (WQ-41).
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { plainExtras } from './extras.js'
import type { QueuedWork, Work } from './work.js'

/** What becomes of a work that waits. */
export interface DependentEvents {
  /** All that it waited for is done. */
  released(work: QueuedWork): void
  /** One of them is not, so it was cancelled just now. */
  canceled(work: QueuedWork): void
}

export class Dependents implements Iterable<QueuedWork> {
  readonly #events: DependentEvents
  /** How many works each one still waits for. */
  readonly #waiting = new Map<QueuedWork, number>()
  /** Who waits for a work. */
  readonly #behind = new WeakMap<QueuedWork, QueuedWork[]>()
  /** Works that are settled, and whose dependents have not heard of it. */
  readonly #settled: QueuedWork[] = []

  constructor(events: DependentEvents) {
    this.#events = events
  }

  get size(): number {
    return this.#waiting.size
  }

  [Symbol.iterator](): Iterator<QueuedWork> {
    return this.#waiting.keys()
  }

  /** Lets a work wait for others; false: all of them are done already. */
  hold(work: QueuedWork, others: readonly QueuedWork[]): boolean {
    const failed = others.find(({ outcome }) => outcome === 'failed' || outcome === 'canceled')
    if (failed !== undefined) {
      if (work.cancelWith(notDone(work, failed))) this.#events.canceled(work)
      return true
    }
    const open = [...new Set(others)].filter(({ settled }) => !settled)
    if (open.length === 0) return false
    this.#waiting.set(work, open.length)
    for (const other of open) {
      const behind = this.#behind.get(other)
      if (behind === undefined) {
        this.#behind.set(other, [work])
        other.extras ??= plainExtras()
        other.extras.hasDependents = true
      } else behind.push(work)
    }
    return true
  }

  /** Takes a work out. False: it does not wait here. */
  withdraw(work: QueuedWork): boolean {
    return this.#waiting.delete(work)
  }

  /** A work that others wait for is settled. */
  settled(work: QueuedWork): void {
    // A list, not a recursion: a chain may be longer than the stack is deep.
    if (this.#settled.push(work) > 1) return
    for (const each of this.#settled) this.#tell(each)
    this.#settled.length = 0
  }

  #tell(work: QueuedWork): void {
    const behind = this.#behind.get(work) ?? []
    this.#behind.delete(work)
    for (const dependent of behind) {
      const left = this.#waiting.get(dependent)
      if (left === undefined) continue
      if (work.outcome !== 'done') {
        this.#waiting.delete(dependent)
        if (dependent.cancelWith(notDone(dependent, work))) this.#events.canceled(dependent)
      } else if (left > 1) this.#waiting.set(dependent, left - 1)
      else {
        this.#waiting.delete(dependent)
        this.#events.released(dependent)
      }
    }
  }
}

function notDone(work: QueuedWork, failed: QueuedWork): Error {
  const text = `The work '${work.name}' was cancelled, because '${failed.name}', which it was to follow, is not done`
  return new UserWorkerError('ECANCELED', text)
}

/** One work, or a list of them, as a list. */
export function listOf(after: Work | readonly Work[]): readonly QueuedWork[] {
  return (Array.isArray(after) ? after : [after]) as QueuedWork[]
}

/**
 * Another queue's work would be settled there, and nobody here would hear of it.
 *
 * @throws TypeError EINVAL
 */
export function checkAfter(
  after: Work | readonly Work[],
  isOurs: (work: QueuedWork) => boolean,
): void {
  const foreign = listOf(after).find((work) => !isOurs(work))
  if (foreign === undefined) return
  throw invalid(`'after' must name works of this queue, and '${foreign.name}' is another's`)
}
