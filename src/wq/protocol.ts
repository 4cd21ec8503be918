/**
 * What a queue and its workers' threads say to each other by message: one union per direction. Works
 * and results go through shared memory (`ring/`); messages carry what cannot, and tell of it.
 *
 * A message that something in shared memory refers to is sent before the reference is written. So
 * whoever finds a reference it does not know yet takes messages until it does.
 *
 * @module
 */
import type { Words } from '#memory'
import type { MessagePort } from '../os/thread.js'
import type { ErrorReport } from '../worker/thread-side.js'

/** The module of a queue that was made without one, for inline functions alone. */
export const noModule = 'data:text/javascript,'

/** What the function of a queue's worker gets as its data. */
export interface ServeData {
  readonly port: MessagePort
  /** The module with the handlers. */
  readonly module: string
  /** What the module's `setup` gets. */
  readonly data: unknown
  /** The memory of the worker's class. */
  readonly words: Words
  /** The worker's completion ring. */
  readonly completions: Words
  /** The word that says whether the owner waits. */
  readonly owner: Words
  readonly seat: number
  /** Whether it pays to look for works for a moment before sleeping: there is another CPU. */
  readonly spins: boolean
  /** How many works the worker runs at a time, while they await. */
  readonly concurrency: number
  /** After so many works, or with more memory, the worker leaves; null: never. */
  readonly recycle: { readonly works: number | null; readonly heapMb: number | null }
  /** The child process that runs the handlers; null: the thread runs them. */
  readonly child: ChildPlan | null
}

/** What a child process is made from. */
export interface ChildPlan {
  /** Options of Node. */
  readonly flags: readonly string[]
  /** Modules that it imports before that with the handlers. */
  readonly preload: readonly string[]
  /** Whether its standard output goes through its worker, as its standard error always does. */
  readonly stdout: boolean
}

/** What is known by number, and what it is. */
export type Definition =
  /** A handler: its name, or its text where it is an inline function. */
  | {
      readonly type: 'handler'
      readonly number: number
      readonly name: string
      readonly source: string | null
    }
  /** A chunk of the other side's blocks; null: it is not used any more. */
  | { readonly type: 'chunk'; readonly number: number; readonly buffer: SharedArrayBuffer | null }
  /** A shared buffer of the user's. */
  | { readonly type: 'share'; readonly number: number; readonly buffer: SharedArrayBuffer }
  /** The owner has dropped a shared buffer. */
  | { readonly type: 'unshare'; readonly number: number }
  /** What works have in common of what they carry: names and values in turns; null: dropped. */
  | {
      readonly type: 'context'
      readonly number: number
      readonly items: readonly unknown[] | null
    }

/** Whose the value of the next message is. */
export type Whose =
  | { readonly type: 'progress' | 'item'; readonly id: number }
  | { readonly type: 'broadcast' | 'broadcast-done'; readonly call: number }
  | { readonly type: 'context' }

/** From the queue to the thread. */
export type ToServer =
  | Definition
  /** Whose value comes next, if not that of a work: see `announced.ts`. */
  | { readonly type: 'next'; readonly whose: Whose | null }
  /** The arguments of a work that the thread has claimed, which go by message. */
  | { readonly type: 'args'; readonly id: number; readonly args: readonly unknown[] }
  /** They cannot be sent: the work is settled already. */
  | { readonly type: 'no-args'; readonly id: number }
  /** The work is not wanted any more: abort its signal. */
  | { readonly type: 'abort'; readonly id: number; readonly reason: ErrorReport }
  /** The caller has taken so many more items of a stream. */
  | { readonly type: 'credit'; readonly id: number; readonly count: number }
  /** End by force, with the child process: a thread that is terminated leaves its dead child behind. */
  | { readonly type: 'kill' }
  /** Run this once, beside the works. */
  | {
      readonly type: 'broadcast'
      readonly call: number
      readonly name: string
      readonly args: readonly unknown[]
      /** What its caller carries: names and values in turns. */
      readonly carried: readonly unknown[]
    }

/** From the thread to the queue. */
export type ToQueue =
  /** The module is loaded and set up. */
  | { readonly type: 'ready' }
  /** The module could not be loaded or set up. The exit follows. */
  | { readonly type: 'unfit'; readonly error: ErrorReport }
  /** The handlers run in this child process. */
  | { readonly type: 'process'; readonly processId: number }
  /** There are completions: sent to an owner that waits. */
  | { readonly type: 'look' }
  | Definition
  /** Whose value comes next, if not that of a work: see `announced.ts`. */
  | { readonly type: 'next'; readonly whose: Whose | null }
  /** The result of the work that is completed next of those whose result goes by message. */
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'threw'; readonly error: ErrorReport }
  | { readonly type: 'progress'; readonly id: number; readonly value: unknown }
  /** The next item of a stream. */
  | { readonly type: 'item'; readonly id: number; readonly value: unknown }
  /** One of its works has entered a call that blocks. */
  | { readonly type: 'blocked' }
  /** A work carries something by a name that no carrier has there. */
  | { readonly type: 'no-carrier'; readonly name: string }
  /** It will take no more works, and leave when it has none (recycling). */
  | { readonly type: 'leaving' }
  | { readonly type: 'broadcast-done'; readonly call: number; readonly value: unknown }
  | { readonly type: 'broadcast-failed'; readonly call: number; readonly error: ErrorReport }
