/**
 * Works that must not run for too long, and threads that are ended for that.
 *
 * Time in which nothing ran does not count: when the process stood still (`clock.ts`), and between
 * {@link Deadlines.pause} and {@link Deadlines.resume}.
 *
 * @module
 */
import * as memory from '#memory'
import { UserWorkerError } from '../errors.js'
import { deadline, longestTimeoutMs, lostMs, microseconds, now, type Timer } from '../os/clock.js'
import { Kind, Slot, slotOf } from '../ring/index.js'
import type { Account } from './account.js'
import type { QueuedWork } from './work.js'

/** A work that runs into its time-out and does not mind its signal is ended by force after this. */
const graceMs = 1000

/** What deadlines need of a queue. */
export interface DeadlineEvents {
  accountOf(work: QueuedWork): Account
  /** The work has run too long: settle it, and tell it. */
  expired(work: QueuedWork, error: Error): void
}

/** What is known of a work that is watched. */
interface Watch {
  timer: Timer
  readonly timeoutMs: number
  /** What was lost until it was submitted. */
  readonly lostBefore: number
}

export class Deadlines {
  readonly #events: DeadlineEvents
  readonly #watches = new Map<QueuedWork, Watch>()
  /** Since when nothing runs; null while things run. */
  #pausedAt: number | null = null
  /** How long nothing ran, all pauses together. */
  #pausedMs = 0
  /** What became due in a pause. */
  readonly #due = new Set<() => void>()

  constructor(events: DeadlineEvents) {
    this.#events = events
  }

  /** From now on the work's running time is watched (WQ-79). */
  watch(work: QueuedWork, timeoutMs: number): void {
    // No work has run for so long before so long has passed.
    const timer = this.#after(timeoutMs, () => this.#look(work))
    this.#watches.set(work, { timer, timeoutMs, lostBefore: this.#lostMs() })
  }

  /** To be called once a work is settled. */
  forget(work: QueuedWork): void {
    this.#watches.get(work)?.timer.cancel()
    this.#watches.delete(work)
  }

  /** Ends the thread that runs the work, unless the work has ended by then. */
  killLater(work: QueuedWork, afterMs: number, reason: Error): void {
    const { slot } = work
    this.#after(afterMs, () => {
      const account = this.#events.accountOf(work)
      // What has ended, and was not read yet, needs no force.
      if (work.slot !== slot || slot < 0 || account.lane.kindOf(work) !== Kind.CLAIMED) return
      account.serverOf(work)?.kill(reason, work)
    })
  }

  /** From here on nothing runs, and no time passes for works. */
  pause(): void {
    this.#pausedAt ??= now()
  }

  /** Things run again. */
  resume(): void {
    if (this.#pausedAt === null) return
    this.#pausedMs += now() - this.#pausedAt
    this.#pausedAt = null
    const due = [...this.#due]
    this.#due.clear()
    for (const pass of due) pass()
  }

  #pausedSoFar(): number {
    return this.#pausedMs + (this.#pausedAt === null ? 0 : now() - this.#pausedAt)
  }

  #lostMs(): number {
    return lostMs() + this.#pausedSoFar()
  }

  /** Like `deadline`, and what passes in a pause does not count. */
  #after(ms: number, run: () => void): Timer {
    let before = this.#pausedSoFar()
    const pass = (): void => {
      const missing = this.#pausedMs - before
      if (this.#pausedAt !== null) this.#due.add(pass)
      else if (missing > 0) {
        before = this.#pausedMs
        timer = deadline(Math.min(missing, longestTimeoutMs), pass)
      } else run()
    }
    let timer = deadline(ms, pass)
    return {
      cancel: () => {
        timer.cancel()
        this.#due.delete(pass)
      },
    }
  }

  #look(work: QueuedWork): void {
    const watch = this.#watches.get(work)
    if (work.settled || watch === undefined) return
    const { timeoutMs } = watch
    const left = timeoutMs - this.#runMs(work, watch)
    if (left > 0) {
      watch.timer = this.#after(Math.max(1, left), () => this.#look(work))
      return
    }
    this.#watches.delete(work)
    const text = `The work '${work.name}' has run for ${timeoutMs} ms, its timeoutMs`
    const error = new UserWorkerError('ETIME', text)
    this.#events.expired(work, error)
    this.killLater(work, work.extras?.killAfterMs ?? graceMs, error)
  }

  /** How long it has run. */
  #runMs(work: QueuedWork, { lostBefore }: Watch): number {
    if (work.slot < 0) return 0
    const { words } = this.#events.accountOf(work).lane.memory
    const began = memory.load(words, slotOf(work.slot) + Slot.BEGAN)
    if (began === 0) return 0
    return ((microseconds() - began) >>> 0) / 1000 - (this.#lostMs() - lostBefore)
  }
}
