/**
 * Ends works before their time: pending ones are taken out of wherever they wait, running ones are told.
 *
 * @module
 */
import { aborted, UserWorkerError } from '../errors.js'
import type { Account } from './account.js'
import { notReadable } from './announced.js'
import type { Deadlines } from './deadlines.js'
import type { Dependents } from './dependents.js'
import { plainExtras } from './extras.js'
import type { KeyLines } from './keys.js'
import type { CancelOutcome, QueuedWork, Work } from './work.js'

/** What {@link WorkQueue.cancel} did. */
export interface CancelReport {
  /**
   * `running` if any hit was running (WQ-43), else `canceled` if any was pending, else `not-found`.
   */
  readonly outcome: CancelOutcome
  /** Pending works that will not run. */
  readonly canceled: number
  /** Running works that were told. */
  readonly running: number
}

/** Where works are, and how they are settled. */
export interface Parts {
  readonly accounts: { readonly bounded: Account; readonly unbounded: Account }
  readonly keys: KeyLines
  readonly dependents: Dependents
  readonly deadlines: Deadlines
  accountOf(work: QueuedWork): Account
  /** How it was settled was set just now. */
  settled(work: QueuedWork): void
  changed(): void
}

export class Cancellation {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Pending works first, then running ones (WQ-41, WQ-42), each in order of submission. A snapshot:
   * what is done with them changes where they are.
   */
  unsettled(): QueuedWork[] {
    const { bounded, unbounded } = this.#parts.accounts
    const pending: QueuedWork[] = [...this.#parts.dependents]
    if (bounded.held + unbounded.held > 0) {
      for (const work of this.#parts.keys.waiting()) {
        if (bounded.owns(work) || unbounded.owns(work)) pending.push(work)
      }
    }
    const runs: QueuedWork[] = []
    for (const account of [bounded, unbounded]) {
      for (const work of account.works()) {
        if (!work.settled) (work.state === 'running' ? runs : pending).push(work)
      }
    }
    const inOrder = (one: QueuedWork, other: QueuedWork): number => one.id - other.id
    return [...pending.sort(inOrder), ...runs.sort(inOrder)]
  }

  /** Cancels the oldest work that does not run. @returns whether there was one */
  cancelOldest(): boolean {
    const pending = this.unsettled().filter(({ state }) => state === 'pending')
    // One that a worker claims at this very moment runs, and nobody has cancelled it.
    return pending.some((work) => this.dropAll([work], canceled) > 0)
  }

  /** Cancels one work, or those of its choice, all or the first. */
  cancelMatching(match: Work | ((work: Work) => boolean), all: boolean): CancelReport {
    if (typeof match !== 'function') {
      const work = match as QueuedWork
      const isOurs = this.#parts.accountOf(work).lane === work.lane
      return this.cancelAll(isOurs && !work.settled ? [work] : [])
    }
    const works = this.unsettled()
    if (all) return this.cancelAll(works.filter(match))
    const first = works.find(match)
    return this.cancelAll(first === undefined ? [] : [first])
  }

  cancelAll(works: readonly QueuedWork[]): CancelReport {
    const dropped = this.dropAll(works, canceled)
    let running = 0
    for (const work of works) {
      if (work.settled) continue
      running++
      work.extras ??= plainExtras()
      work.extras.told ??= canceled(work)
      this.#tell(work, work.extras.told)
    }
    const outcome = running > 0 ? 'running' : dropped > 0 ? 'canceled' : 'not-found'
    return { outcome, canceled: dropped, running }
  }

  /** A signal was aborted: its works are settled now, wherever they stand. */
  abortAll(works: readonly QueuedWork[], cause: unknown): void {
    this.dropAll(works, () => aborted(cause))
    for (const work of works) {
      if (work.settled) continue
      const error = aborted(cause)
      if (work.cancelWith(error)) this.#parts.settled(work)
      this.#tell(work, cause, error)
    }
  }

  /** A running work has failed for its caller: it is settled now, and told to end. */
  fail(work: QueuedWork, error: Error): void {
    if (work.reject(error)) this.#parts.settled(work)
    this.#parts.accountOf(work).serverOf(work)?.abort(work, error)
  }

  /** A work has told its caller something that this thread cannot read: that is to be told instead. */
  unreadable(work: QueuedWork, kind: 'progress' | 'item', cause: unknown): void {
    if (kind === 'progress' && (work.extras?.onProgress ?? null) === null) return
    const what = kind === 'item' ? `An item of '${work.name}'` : `What '${work.name}' tells`
    this.fail(work, notReadable(what, cause))
  }

  /** Tells a running work to end, and sees to it that it does if its caller wants that. */
  #tell(work: QueuedWork, reason: unknown, error: Error = reason as Error): void {
    const server = this.#parts.accountOf(work).serverOf(work)
    if (server === null) return
    server.abort(work, reason)
    const killAfterMs = work.extras?.killAfterMs ?? null
    if (killAfterMs !== null) this.#parts.deadlines.killLater(work, killAfterMs, error)
  }

  /**
   * Takes the pending ones of these works out of wherever they wait, and settles them as cancelled.
   * Keys are passed on when all of them are out, so that none of them becomes runnable by another's
   * leaving; and the last of a key goes first, for the same reason.
   *
   * @returns how many
   */
  dropAll(works: readonly QueuedWork[], reason: (work: QueuedWork) => Error): number {
    const dropped: QueuedWork[] = []
    const fromRings: QueuedWork[] = []
    for (const work of works.toReversed()) {
      if (work.settled) continue
      if (this.#parts.dependents.withdraw(work) || this.#parts.keys.withdraw(work))
        dropped.push(work)
      else if (work.lane.withdraw(work)) {
        dropped.push(work)
        fromRings.push(work)
      }
    }
    for (const work of dropped.toReversed()) {
      const error = reason(work)
      if (work.cancelWith(error)) this.#parts.settled(work)
    }
    this.#parts.keys.leaveAll(fromRings)
    for (const lane of new Set(fromRings.map((work) => work.lane))) lane.refill()
    if (dropped.length > 0) this.#parts.changed()
    return dropped.length
  }
}

/** Why a work ends that was cancelled. */
function canceled(work: QueuedWork): Error {
  return new UserWorkerError('ECANCELED', `The work '${work.name}' was cancelled`)
}
