/**
 * What a queue and its workers' threads say to each other: one union per direction.
 *
 * @module
 */
import type { Words } from '#memory'
import type { MessagePort } from '../os/thread.js'
import type { ErrorReport } from '../worker/index.js'

/** What the function of a queue's worker gets as its data. */
export interface ServeData {
  readonly port: MessagePort
  /** The module with the handlers. */
  readonly module: string
  /** What the module's `setup` gets. */
  readonly data: unknown
  /** One shared word: the number of the last work that the thread began. */
  readonly begun: Words
}

/** From the queue to the thread. */
export type ToServer =
  | {
      readonly type: 'run'
      readonly id: number
      readonly name: string
      readonly args: readonly unknown[]
      readonly key: unknown
    }
  /** The work is not wanted any more: abort its signal. */
  | { readonly type: 'abort'; readonly id: number; readonly reason: ErrorReport }

/** From the thread to the queue. */
export type ToQueue =
  /** The module is loaded and set up. */
  | { readonly type: 'ready' }
  /** The module could not be loaded or set up. The exit follows. */
  | { readonly type: 'unfit'; readonly error: ErrorReport }
  /** A work came that this thread cannot read: it is nested deeper than the thread's stack. */
  | { readonly type: 'unreadable' }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorReport }
