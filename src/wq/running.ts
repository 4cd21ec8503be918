/**
 * Which work a thread runs, and what is known of it there. Shared by the thread's side of the queue
 * (`serving.ts`) and the door for handlers (`current.ts`).
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { TransferListItem } from '../os/thread.js'

/** A work, as the handler that runs it sees it. */
export interface CurrentWork {
  /** The handler's name. */
  readonly name: string
  /** The work's number in its queue, as its handle shows it. */
  readonly id: number
  /** The work's key, where that is a string, a number, a bigint or a boolean; else undefined. */
  readonly key: unknown
  /** Aborted when the caller aborted or cancelled the work while it ran. */
  readonly signal: AbortSignal
  /**
   * A signal point for code that never awaits: throws `signal.reason` if the work was aborted or
   * cancelled. It also is one for the worker: one that was told to park stands here (KT-21).
   */
  checkpoint(): void
  /**
   * Calls a function that blocks the thread, such as a synchronous read of a slow device or
   * `Atomics.wait`: meanwhile the worker does not count as running, so that a work that waits gets
   * another worker if the maximum allows (WQ-20, WQ-21).
   *
   * @returns what `call` returns
   */
  blocking<Result>(call: () => Result): Result
  /**
   * Tells the caller something before the work ends: it gets the value in `onProgress`.
   *
   * @throws UserWorkerError ERR_NOT_CLONEABLE: the value cannot be cloned
   */
  progress(value: unknown): void
}

/** The work that the current chain of calls, awaits and timers belongs to. */
export const running: AsyncLocalStorage<CurrentWork> = shared(
  'userworker.running.1',
  () => new AsyncLocalStorage(),
)

/** The lists given to `transfer`, by the value they came with. */
export const transfers: WeakMap<object, readonly TransferListItem[]> = shared(
  'userworker.transfers.1',
  () => new WeakMap(),
)

/** One for the whole thread: the handlers' module may have found another copy of this package. */
function shared<T>(name: string, make: () => T): T {
  const all = globalThis as unknown as Record<symbol, T | undefined>
  return (all[Symbol.for(name)] ??= make())
}
