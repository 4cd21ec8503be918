/**
 * A queue, as its owner sees it: what happens to the owner happens to the queue.
 *
 * @module
 */
import type { UserWorkerError } from '../errors.js'
import type { Member, Scope } from '../worker/index.js'

/** What an owner does to a queue. */
export interface OwnedEvents {
  /** Reject everything, and end the threads. */
  kill(error: UserWorkerError): void
  close(): Promise<unknown>
  /** There may be room for workers; they are frozen, or not any more. */
  changed(): void
  /** Give up a worker: see `Member`. */
  yieldWorker(forOneWithNone: boolean): boolean
}

/**
 * Known to its owner from its first worker on until it is closed; so a queue that nobody uses any more
 * can be forgotten.
 */
export class Owned implements Member {
  readonly endsOthers = true
  #isEntered = false

  constructor(
    readonly scope: Scope,
    private readonly events: OwnedEvents,
  ) {}

  enter(): void {
    // An owner that ends knows of all that it waits for.
    if (this.#isEntered || this.scope.hasEnded) return
    this.#isEntered = true
    this.scope.enter(this)
  }

  /** The queue is closed: none of its workers is left. */
  leave(): void {
    if (this.#isEntered) this.scope.leave(this)
    this.scope.release()
  }

  killed(error: UserWorkerError): void {
    this.events.kill(error)
  }

  finish(): Promise<unknown> {
    return this.events.close()
  }

  changed(): void {
    this.events.changed()
  }

  yieldWorker(forOneWithNone: boolean): boolean {
    return this.events.yieldWorker(forOneWithNone)
  }

  /** Its workers are told by themselves. */
  look(): void {}

  nameOf(): undefined {
    return undefined
  }
}
