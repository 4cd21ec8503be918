/**
 * What a worker's thread and its owner say to each other: one union per direction. Facts that must
 * be exact live in the worker's row (`table.ts`); messages ring the bell and carry causes.
 *
 * @module
 */
import type { MessagePort } from '../os/thread.js'
import type { ErrorReport } from './error-report.js'

/** What a spare is called. */
export const spareName = 'spare'

/** What the thread is born with. */
export interface Boot {
  /** The owner's other end of this port is the owner's `Link`. */
  readonly port: MessagePort
  readonly row: number
  /** Whether it boots ahead of time, for a worker that is not known yet. */
  readonly spare: boolean
}

/** Who a thread becomes. */
export interface Identity {
  readonly name: string
  /** The module whose default export is the function. */
  readonly module: string
  /** Modules to be imported before. */
  readonly preload: readonly string[]
  /** What the function gets as its first argument. */
  readonly data: unknown
  readonly nice: number | null
  readonly argv: readonly string[]
  /** The whole environment; null where the thread was born with the right one. */
  readonly env: Readonly<Record<string, string>> | null
}

/** From the owner to the thread. */
export type ToThread =
  /** Become this worker. */
  | { readonly type: 'adopt'; readonly identity: Identity }
  /** Something was asked in the row's words: look there. */
  | { readonly type: 'look' }

/**
 * What becomes of a worker whose owner is killed: its thread is ended, or it ends by itself after it has
 * cleaned up, or it goes on until it is stopped (`loop`).
 */
export type OnOwnerKill = 'end' | 'die' | 'linger'

/** From the thread to the owner. */
export type ToOwner =
  /** A spare is booted. */
  | { readonly type: 'booted' }
  /** The module is loaded and the thread stands at the gate. */
  | { readonly type: 'created'; readonly onOwnerKill: OnOwnerKill }
  /** The module could not be loaded, or has no function. The exit follows. */
  | { readonly type: 'failed'; readonly error: ErrorReport }
  /** The function was entered. */
  | { readonly type: 'entered' }
  /** The thread stands still, or stood, or never will: the control word knows. */
  | { readonly type: 'parked' }
  /** The function threw. The exit follows. */
  | { readonly type: 'threw'; readonly error: ErrorReport }
  /** An error reached the top of the thread. The exit follows unless the program handles it. */
  | { readonly type: 'uncaught'; readonly error: ErrorReport }
  /** Code in the thread called `process.exit`. The exit follows. */
  | { readonly type: 'left'; readonly exitCode: number }
