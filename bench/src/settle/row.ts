/**
 * What a row of the table is: something that goes wrong, or is made to end, and what must come of it.
 *
 * @module
 */
import type { Worker } from 'node:worker_threads'

/** What not every pool can do. */
export type Feature = 'freeze' | 'handle' | 'overlap' | 'owner' | 'processes' | 'threads'

/** How a pool is to be made. It has one worker, always. */
export interface Opening {
  /** What its workers load. Default `handlers`. */
  readonly module?: 'handlers' | 'throws' | 'never'
  /** The heap of a worker. */
  readonly heapMb?: number
  /** So many works may await on the worker at a time. Default 1. */
  readonly overlap?: number
  readonly closeDeadlineMs?: number
  readonly loadDeadlineMs?: number
  /** The pool belongs to an owner of its own. */
  readonly owned?: boolean
}

/** How a work is to be run. */
export interface RunOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** A pool that lets its works end by themselves ends the thread after so long. */
  readonly killAfterMs?: number
}

export interface Handle {
  readonly result: Promise<unknown>
  /** With the feature `handle`. */
  cancel?(): void
}

/** A pool in the hands of a row. */
export interface Pool {
  /** Handlers take one argument. A throw at once counts as a rejection. */
  enqueue(name: string, value?: unknown, options?: RunOptions): Handle
  /** In the way that lets works finish, where there is one. */
  close(): PromiseLike<unknown>
  freeze?(): Promise<unknown>
  thaw?(): void
  /** Ends the owner that the pool belongs to. */
  killOwner?(reason: Error): void
}

/** A pool of some package. */
export interface Adapter {
  readonly features: ReadonlySet<Feature>
  open(opening: Opening): Promise<Pool>
}

/** What a row has to work with. */
export interface Trial {
  /** Makes the pool; the last one made runs the next work. */
  open(opening?: Opening): Promise<Pool>
  /** A pool that has run a work, so that its thread is there. */
  warm(opening?: Opening): Promise<Pool>
  /** A file that handlers write to, so that it is seen where they are. */
  readonly mark: string
  /** What they have written, line by line, when there are so many lines. */
  marked(lines: number): Promise<readonly string[]>
  /** The threads that were made since the trial began. */
  readonly threads: readonly Worker[]
  /** From here on the time counts. It does from the beginning. */
  begin(): void
  /** Of these, a hang tells how many are pending. */
  follow(promises: readonly Promise<unknown>[]): void
  /** What a promise came to, in words; the time counts to here. */
  endOf(promise: PromiseLike<unknown>, words?: (error: unknown) => string): Promise<string>
}

export interface Row {
  readonly title: string
  /** What {@link run} must give with our pool. */
  readonly expected: string
  /** The work must have settled so long after {@link Trial.begin}, in milliseconds, or soon after. */
  readonly deadlineMs?: number
  /** Pools without one of these have no such row. */
  readonly needs?: readonly Feature[]
  /** The pool in which the next work must run. Default: the same. */
  readonly next?: 'same' | 'new'
  /** Runs as a user whose threads the system counts. */
  readonly asStranger?: boolean
  readonly run: (trial: Trial) => Promise<string>
}
