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
import {
  deadline,
  longestTimeoutMs,
  lostMs,
  microseconds,
  now,
  runTime,
  type Timer,
} from '../os/clock.js'
import { Kind, Slot, slotOf } from '../ring/index.js'
import type { Account } from './account.js'
import type { QueuedWork } from './work.js'

/** A work that runs into its time-out and does not mind its signal is ended by force after this. */
const graceMs = 1000
/** The clock of the slots goes round after 71 minutes: works are looked at more often than that. */
const lookAtLeastMs = 30 * 60_000

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
  /** When it began, by `now`; null: it has not, as far as was seen. */
  beganMs: number | null
  /** What was lost until it was last seen not to have begun. */
  lostBefore: number
}

export class Deadlines {
  readonly #events: DeadlineEvents
  readonly #watches = new Map<QueuedWork, Watch>()
  /** Of works that were told to end: when their threads are ended for it. */
  readonly #kills = new Map<QueuedWork, Timer>()
  /** Since when nothing runs, by `runTime`, as what is lost is counted apart; null while things run. */
  #pausedAt: number | null = null
  /** How long nothing ran, all pauses together, by the same clock. */
  #pausedMs = 0
  /** What became due in a pause. */
  readonly #due = new Set<() => void>()

  constructor(events: DeadlineEvents) {
    this.#events = events
  }

  /** From now on the work's running time is watched (WQ-79). */
  watch(work: QueuedWork, timeoutMs: number): void {
    // No work has run for so long before so long has passed.
    const timer = this.#after(Math.min(timeoutMs, lookAtLeastMs), () => this.#look(work))
    this.#watches.set(work, { timer, timeoutMs, beganMs: null, lostBefore: this.#lostMs() })
  }

  /** To be called once a work is settled. */
  forget(work: QueuedWork): void {
    this.#watches.get(work)?.timer.cancel()
    this.#watches.delete(work)
  }

  /** Ends the thread that runs the work, unless the work has ended by then. */
  killLater(work: QueuedWork, afterMs: number, reason: Error): void {
    // Whoever tells it first sets the time.
    if (this.#kills.has(work)) return
    const { slot } = work
    const timer = this.#after(afterMs, () => {
      const account = this.#events.accountOf(work)
      // What has ended, and was not read yet, needs no force.
      if (work.slot !== slot || slot < 0 || account.lane.kindOf(work) !== Kind.CLAIMED) return
      account.serverOf(work)?.kill(reason, work)
    })
    this.#kills.set(work, timer)
  }

  /** To be called once a work has left the rings: nothing holds on to it then. */
  left(work: QueuedWork): void {
    this.#kills.get(work)?.cancel()
    this.#kills.delete(work)
  }

  /** From here on nothing runs, and no time passes for works. */
  pause(): void {
    if (this.#pausedAt !== null) return
    // What has begun by now loses the pause; what has not, begins after it.
    for (const [work, watch] of this.#watches) this.#hasBegun(work, watch)
    this.#pausedAt = runTime()
  }

  /** Things run again. */
  resume(): void {
    if (this.#pausedAt === null) return
    this.#pausedMs = this.#pausedSoFar()
    this.#pausedAt = null
    for (const watch of this.#watches.values()) {
      if (watch.beganMs === null) watch.lostBefore = this.#lostMs()
    }
    const due = [...this.#due]
    this.#due.clear()
    for (const pass of due) pass()
  }

  #pausedSoFar(): number {
    return this.#pausedMs + (this.#pausedAt === null ? 0 : runTime() - this.#pausedAt)
  }

  #lostMs(): number {
    return lostMs() + this.#pausedSoFar()
  }

  /** Like `deadline`, and what passes in a pause does not count. */
  #after(ms: number, run: () => void): Timer {
    let before = this.#pausedSoFar()
    let wake: (() => void) | null = null
    const pass = (): void => {
      // What of the pause lies within the time that has passed.
      const missing = this.#pausedSoFar() - before
      wake = () => {
        before = this.#pausedMs
        if (missing > 0) timer = deadline(Math.min(missing, longestTimeoutMs), pass)
        else run()
      }
      if (this.#pausedAt === null) wake()
      else this.#due.add(wake)
    }
    let timer = deadline(ms, pass)
    return {
      cancel: () => {
        timer.cancel()
        if (wake !== null) this.#due.delete(wake)
      },
    }
  }

  #look(work: QueuedWork): void {
    const watch = this.#watches.get(work)
    if (work.settled || watch === undefined) return
    const { timeoutMs } = watch
    const left = timeoutMs - this.#runMs(work, watch)
    if (left > 0) {
      const nextMs = Math.min(Math.max(1, left), lookAtLeastMs)
      watch.timer = this.#after(nextMs, () => this.#look(work))
      return
    }
    this.#watches.delete(work)
    const text = `The work '${work.name}' has run for ${timeoutMs} ms, its timeoutMs`
    const error = new UserWorkerError('ETIME', text)
    this.#events.expired(work, error)
    this.killLater(work, work.extras?.killAfterMs ?? graceMs, error)
  }

  /** How long it has run. */
  #runMs(work: QueuedWork, watch: Watch): number {
    if (this.#hasBegun(work, watch)) {
      return now() - (watch.beganMs as number) - (this.#lostMs() - watch.lostBefore)
    }
    watch.lostBefore = this.#lostMs()
    return 0
  }

  #hasBegun(work: QueuedWork, watch: Watch): boolean {
    if (watch.beganMs !== null) return true
    if (work.slot < 0) return false
    const { words } = this.#events.accountOf(work).lane.memory
    const began = memory.load(words, slotOf(work.slot) + Slot.BEGAN)
    if (began === 0) return false
    watch.beganMs = now() - ((microseconds() - began) >>> 0) / 1000
    return true
  }
}
