/**
 * A work: what the caller holds, and what the queue knows of it.
 *
 * | state    | holds                                            | left by                               |
 * | -------- | ------------------------------------------------ | ------------------------------------- |
 * | pending  | it waits: behind others, or in a ring            | a worker's claim; cancel, close       |
 * | running  | a worker has claimed it                          | its end, or its thread's end          |
 * | done     | `result` is resolved                             | nobody                                |
 * | failed   | `result` is rejected                             | nobody                                |
 * | canceled | `result` is rejected with ECANCELED or ABORT_ERR | nobody                                |
 *
 * A running work whose thread has ended before its handler was called is pending again, once.
 *
 * A work whose signal was aborted while it ran is settled at once, while its worker goes on until
 * the handler ends; worker and key stay taken until then.
 *
 * @module
 */
import type { Carried } from '../carry/index.js'
import type { Packed } from '../ring/index.js'
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

/** Arguments that go by message, as captured at submission. */
export interface Message {
  readonly args: readonly unknown[]
  readonly transfer: readonly TransferListItem[]
}

/** What a work knows of the rings it goes to: see `lane.ts`. */
export interface WorkLane {
  readonly unbounded: boolean
  /** Works that are held behind a key. */
  held: number
  nameOf(handler: number): string
  isRunning(work: QueuedWork): boolean
  cancel(work: QueuedWork): CancelOutcome
  admit(work: QueuedWork): void
  keep(work: QueuedWork): void
  hang(work: QueuedWork, last: QueuedWork): boolean
  withdraw(work: QueuedWork): boolean
  refill(): void
}

/** Arguments that are not all primitive, as captured at submission. */
export class Captured {
  constructor(
    /** As bytes; null: they go by message, or are written. */
    public packed: Packed | null,
    /** By message; null: they do not go so, or were sent. */
    public message: Message | null,
    /** Shared buffers in them, which must stay known until the work has run. */
    readonly buffers: readonly SharedArrayBuffer[] | null,
  ) {}
}

/** Where a work stands in the line of its key. */
export class Link {
  /** Its neighbours in the chain, as far as they are in slots. */
  before: QueuedWork | null = null
  behind: QueuedWork | null = null
  /** Whether it is behind another one in a chain. */
  isHung = false
  /** Whether it was withdrawn while a worker was on its way to it: the slot is not free yet. */
  isReserved = false
  /** The seat of the worker that has its turn in hand; -1: none. */
  turnFrom = -1

  constructor(readonly line: KeyLine) {}
}

/** What few works have. */
export interface Extras {
  /** How long it may run, in milliseconds; 0: for ever. */
  readonly timeoutMs: number
  /** How long after it was told to end its thread is ended; null: never. */
  readonly killAfterMs: number | null
  readonly concurrent: boolean
  /** Who gets the items of a stream; null: it is none. */
  readonly onItem: ((value: unknown) => void) | null
  readonly onProgress: ((value: unknown) => void) | null
  /** To be called when it is settled, by `flush`. */
  readonly onSettled: (() => void)[]
  /** Whether works wait for its end. */
  hasDependents: boolean
  /** Why it was told to end while it ran, if it was. */
  told: Error | null
}

// A promise's functions are taken out of it by one function for all, which spares each its own.
let takenResolve: (value: unknown) => void
let takenReject: (error: unknown) => void
const take = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  takenResolve = resolve
  takenReject = reject
}

/**
 * A work, in the queue's hands. There may be a million of them: what few have is apart, in `captured`,
 * `link` and `extras`.
 */
export class QueuedWork implements Work {
  readonly result: Promise<unknown>
  /** How it was settled; null before. */
  outcome: 'done' | 'failed' | 'canceled' | null = null
  /** Its slot; -1: it is in none. */
  slot = -1
  /** Arguments that need no copy: all are primitive. */
  values: readonly unknown[] | null = null
  captured: Captured | null = null
  /** What its caller's carriers captured. */
  carried: Carried | null = null
  link: Link | null = null
  extras: Extras | null = null
  /** Neighbours in the list it is in; a work is in one list at most. */
  list: WorkList | null = null
  previous: QueuedWork | null = null
  next: QueuedWork | null = null
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(
    /** The rings it goes to. */
    readonly lane: WorkLane,
    readonly id: number,
    readonly key: unknown,
    readonly level: number,
    /** The number of its handler. */
    readonly handler: number,
    readonly signal: AbortSignal | null,
    /** When it was submitted, in microseconds of the process's clock. */
    readonly queuedAt: number,
  ) {
    this.result = new Promise(take)
    this.#resolve = takenResolve
    this.#reject = takenReject
  }

  get name(): string {
    return this.lane.nameOf(this.handler)
  }

  get unbounded(): boolean {
    return this.lane.unbounded
  }

  get settled(): boolean {
    return this.outcome !== null
  }

  get state(): WorkState {
    return this.outcome ?? (this.lane.isRunning(this) ? 'running' : 'pending')
  }

  cancel(): CancelOutcome {
    return this.lane.cancel(this)
  }

  /** @returns false: it was settled before. So for the next two. */
  resolve(value: unknown): boolean {
    if (this.outcome !== null) return false
    this.outcome = 'done'
    this.#resolve(value)
    return true
  }

  reject(error: unknown): boolean {
    if (this.outcome !== null) return false
    this.outcome = 'failed'
    this.#reject(error)
    return true
  }

  /**
   * Rejects as cancelled. Whoever cancelled knows, so a rejection that nobody looks at is no
   * oversight.
   */
  cancelWith(error: Error): boolean {
    if (this.outcome !== null) return false
    this.outcome = 'canceled'
    this.result.catch(() => {})
    this.#reject(error)
    return true
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

  get first(): QueuedWork | null {
    return this.#first
  }

  push(work: QueuedWork): void {
    work.list = this
    work.previous = this.#last
    if (this.#last === null) this.#first = work
    else this.#last.next = work
    this.#last = work
    this.#size++
  }

  pushFront(work: QueuedWork): void {
    work.list = this
    work.next = this.#first
    if (this.#first === null) this.#last = work
    else this.#first.previous = work
    this.#first = work
    this.#size++
  }

  /** Takes a work out; no effect if it is not in this list. */
  remove(work: QueuedWork): void {
    if (work.list !== this) return
    if (work.previous === null) this.#first = work.next
    else work.previous.next = work.next
    if (work.next === null) this.#last = work.previous
    else work.next.previous = work.previous
    work.list = work.previous = work.next = null
    this.#size--
  }

  *[Symbol.iterator](): Iterator<QueuedWork> {
    for (let work = this.#first; work !== null;) {
      const { next } = work
      yield work
      work = next
    }
  }
}

/** The line of a key: see `keys.ts`. */
export class KeyLine {
  /** The last of the works that are in the rings, or on their way there; null: none is. */
  last: QueuedWork | null = null
  readonly held = new WorkList()

  constructor(readonly key: unknown) {}
}
