/**
 * Works that must not run for too long, and threads that are ended for that.
 *
 * @module
 */
import * as memory from '#memory'
import { UserWorkerError } from '../errors.js'
import { deadline, microseconds, type Timer } from '../os/clock.js'
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

export class Deadlines {
  readonly #events: DeadlineEvents
  readonly #timers = new Map<QueuedWork, Timer>()

  constructor(events: DeadlineEvents) {
    this.#events = events
  }

  /** From now on the work's running time is watched (WQ-79). */
  watch(work: QueuedWork, timeoutMs: number): void {
    // No work has run for so long before so long has passed.
    const timer = deadline(timeoutMs, () => this.#look(work, timeoutMs))
    this.#timers.set(work, timer)
  }

  /** To be called once a work is settled. */
  forget(work: QueuedWork): void {
    this.#timers.get(work)?.cancel()
    this.#timers.delete(work)
  }

  /** Ends the thread that runs the work, unless the work has ended by then. */
  killLater(work: QueuedWork, afterMs: number, reason: Error): void {
    const { slot } = work
    deadline(afterMs, () => {
      const account = this.#events.accountOf(work)
      // What has ended, and was not read yet, needs no force.
      if (work.slot !== slot || slot < 0 || account.lane.kindOf(work) !== Kind.CLAIMED) return
      account.serverOf(work)?.kill(reason, work)
    })
  }

  #look(work: QueuedWork, timeoutMs: number): void {
    if (work.settled) return
    const left = timeoutMs - this.#runMs(work)
    if (left > 0) {
      this.#timers.set(
        work,
        deadline(Math.max(1, left), () => this.#look(work, timeoutMs)),
      )
      return
    }
    this.#timers.delete(work)
    const text = `The work '${work.name}' has run for ${timeoutMs} ms, its timeoutMs`
    const error = new UserWorkerError('ETIME', text)
    this.#events.expired(work, error)
    this.killLater(work, work.extras?.killAfterMs ?? graceMs, error)
  }

  /** How long it has run. */
  #runMs(work: QueuedWork): number {
    if (work.slot < 0) return 0
    const { words } = this.#events.accountOf(work).lane.memory
    const began = memory.load(words, slotOf(work.slot) + Slot.BEGAN)
    if (began === 0) return 0
    return ((microseconds() - began) >>> 0) / 1000
  }
}
