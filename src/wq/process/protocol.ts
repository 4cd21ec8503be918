/**
 * What a worker's thread and its child process say to each other: one union per direction. Values of
 * the user's are bytes in it (`values.ts`), so that one which cannot be read fails its work alone.
 *
 * @module
 */
import type { ErrorReport } from '../../worker/thread-side.js'

/** What a call is to know of its work; a call without one is a broadcast. */
export interface WorkOfCall {
  readonly id: number
  readonly key: unknown
  readonly isStream: boolean
}

/** From the thread to the child. */
export type ToChild =
  /** The first message: who it is, and what to load. */
  | {
      readonly type: 'begin'
      readonly name: string
      /** Whether the thread takes its standard output, as it takes its standard error. */
      readonly takesStdout: boolean
      /** Imported first. */
      readonly preload: readonly string[]
      readonly module: string
      readonly data: Uint8Array
      /** Whether to tell its memory now and then. */
      readonly tellsMemory: boolean
    }
  /** A handler got a number: its name, or its text where it is an inline function. */
  | {
      readonly type: 'handler'
      readonly number: number
      readonly name: string
      readonly source: string | null
    }
  | {
      readonly type: 'call'
      readonly call: number
      readonly number: number
      readonly args: Uint8Array
      /** What is carried, names and values in turns; null: nothing. */
      readonly carried: Uint8Array | null
      readonly work: WorkOfCall | null
    }
  /** Abort the signal of the call's work. */
  | { readonly type: 'abort'; readonly call: number; readonly reason: ErrorReport }
  /** So many more items of the call were taken. */
  | { readonly type: 'credit'; readonly call: number; readonly count: number }
  /** Stand still: what follows goes by the lifeline. */
  | { readonly type: 'stand' }
  /** Tear down, and end. */
  | { readonly type: 'stop' }

/** From the child to the thread. */
export type ToThread =
  /** The module is loaded and set up. */
  | { readonly type: 'ready' }
  /** The module could not be loaded or set up. */
  | { readonly type: 'unfit'; readonly error: ErrorReport }
  | { readonly type: 'done'; readonly call: number; readonly value: Uint8Array }
  | { readonly type: 'threw'; readonly call: number; readonly error: ErrorReport }
  | { readonly type: 'progress'; readonly call: number; readonly value: Uint8Array }
  | { readonly type: 'item'; readonly call: number; readonly value: Uint8Array }
  /** A work carries something by a name that no carrier has there. */
  | { readonly type: 'no-carrier'; readonly name: string }
  /** Its memory, heap and buffers. */
  | { readonly type: 'memory'; readonly heapMb: number }
  /** It has torn down, or could not. Its exit follows. */
  | { readonly type: 'stopped'; readonly error: ErrorReport | null }
  /** Nobody caught this error. Its exit follows. */
  | { readonly type: 'uncaught'; readonly error: ErrorReport }
