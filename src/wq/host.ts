/**
 * Where a queue's worker runs its handlers: in its own thread (`own-module.ts`), or in a child
 * process of its (`process/`). To all else in the thread both are the same.
 *
 * @module
 */

import type { Companion } from '../worker/thread-side.js'

/** A handler as it is called. */
export type Function = (...args: readonly unknown[]) => unknown

/** What gives a handler of a name or a text. */
export interface HandlerSource {
  /** The handler of a name; one that throws where there is none. */
  named(name: string): Function
  /** An inline function. */
  inline(source: string, name: string): Function
  /** The memory that handlers take, heap and buffers, in MB. */
  heapMb(): number
}

export interface Host extends HandlerSource {
  /** What is to stand still with the thread; null: it is the thread. */
  readonly companion: Companion | null
  /** Rejects when it has ended by itself, and then so does the thread; null: it is the thread. */
  readonly died: Promise<never> | null
  /**
   * Loads the module and sets it up.
   *
   * @throws UserWorkerError ERR_MODULE_LOAD; and why it died, if it did
   */
  load(): Promise<void>
  /** Ends it by force, and so the thread: the owner asked for it. */
  kill(): void
  /** Lets the module tear down, after the last work. */
  teardown(): Promise<void>
}
