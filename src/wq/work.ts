/**
 * A work: what the caller holds, and what the queue knows of it.
 *
 * | state    | holds                                            | left by                               |
 * | -------- | ------------------------------------------------ | ------------------------------------- |
 * | pending  | in its class's list, or behind its key           | the queue: dispatch, cancel, close    |
 * | running  | a worker has it                                  | its answer, or its thread's end (*)   |
 * | done     | `result` is resolved                             | nobody                                |
 * | failed   | `result` is rejected                             | nobody                                |
 * | canceled | `result` is rejected with ECANCELED or ABORT_ERR | nobody                                |
 *
 * (*) A work that its thread never began is pending again, once.
 *
 * A work whose signal was aborted while it ran is settled at once, while its worker goes on until
 * the handler ends; worker and key stay taken until then.
 *
 * @module
 */
import type { TransferListItem } from '../os/thread.js'

/** Where a work is in its life. */
export type WorkState = 'pending' | 'running' | 'done' | 'failed' | 'canceled'

/**
 * What an attempt to cancel found: `canceled`, it will not run; `running`, it was told;
 * `not-found`, it was settled (WQ-43).
 */
export type CancelOutcome = 'canceled' | 'running' | 'not-found'

/** A submitted work, in its caller's hands. */
export interface Work<Result = unknown> {
  /** Its number in its queue, counted from 1. */
  readonly id: number
  /** The handler's name. */
  readonly name: string
  /** The key given at submission, or undefined. */
  readonly key: unknown
  /** Whether it was submitted as unbounded. */
  readonly unbounded: boolean
  readonly state: WorkState
  /** Settles exactly once, whatever happens to the thread (WQ-48). */
  readonly result: Promise<Result>
  /**
   * Cancels it if it is still pending (WQ-41); a running work has its signal aborted and ends as it
   * will (WQ-42).
   */
  cancel(): CancelOutcome
}

/** What is sent to the worker, as captured at submission. */
export interface Payload {
  readonly args: readonly unknown[]
  readonly transfer: readonly TransferListItem[]
}

/** A work, in the queue's hands. */
export class QueuedWork implements Work {
  readonly result: Promise<unknown>
  state: WorkState = 'pending'
  payload: Payload | null = null
  /** Why it was cancelled while it ran, if it was. */
  told: Error | null = null
  /** Whether it came back from a thread that ended before it began the work. */
  cameBack = false
  /** Neighbours in the list it is in; a work is in one list at most. */
  list: WorkList | null = null
  before: QueuedWork | null = null
  behind: QueuedWork | null = null
  #resolve: (value: unknown) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(
    readonly id: number,
    readonly name: string,
    readonly key: unknown,
    readonly unbounded: boolean,
    readonly signal: AbortSignal | null,
    readonly cancel: () => CancelOutcome,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get settled(): boolean {
    return this.state !== 'pending' && this.state !== 'running'
  }

  resolve(value: unknown): void {
    this.state = 'done'
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.state = 'failed'
    this.#reject(error)
  }

  /**
   * Rejects as cancelled. Whoever cancelled knows, so a rejection that nobody looks at is no
   * oversight.
   */
  cancelWith(error: Error): void {
    this.state = 'canceled'
    this.result.catch(() => {})
    this.#reject(error)
  }
}

/** A first-in-first-out list of works that any member can leave at once. */
export class WorkList implements Iterable<QueuedWork> {
  #first: QueuedWork | null = null
  #last: QueuedWork | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  push(work: QueuedWork): void {
    work.list = this
    work.before = this.#last
    if (this.#last === null) this.#first = work
    else this.#last.behind = work
    this.#last = work
    this.#size++
  }

  shift(): QueuedWork | null {
    const work = this.#first
    if (work !== null) this.remove(work)
    return work
  }

  /** Puts a work that had left it back to its place, which is by the order of submission. */
  putBack(work: QueuedWork): void {
    let behind = this.#first
    while (behind !== null && behind.id < work.id) behind = behind.behind
    const before = behind === null ? this.#last : behind.before
    work.list = this
    work.before = before
    work.behind = behind
    if (before === null) this.#first = work
    else before.behind = work
    if (behind === null) this.#last = work
    else behind.before = work
    this.#size++
  }

  /** Takes a work out; no effect if it is not in this list. */
  remove(work: QueuedWork): void {
    if (work.list !== this) return
    if (work.before === null) this.#first = work.behind
    else work.before.behind = work.behind
    if (work.behind === null) this.#last = work.before
    else work.behind.before = work.before
    work.list = work.before = work.behind = null
    this.#size--
  }

  *[Symbol.iterator](): Iterator<QueuedWork> {
    for (let work = this.#first; work !== null;) {
      const { behind } = work
      yield work
      work = behind
    }
  }
}
