/**
 * What a protocol is to the model checker: real code, threads that run it, and what must hold.
 *
 * @module
 */
import type { Words } from '../operations.js'

/** What a message, a note or a returned value may be: data that JSON can hold. */
export type Value =
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Value[]
  | { readonly [name: string]: Value }

/** What a thread can do besides using shared memory. Each call is one step. */
export interface Model {
  /** Sends a message. Never blocks. */
  post(channel: string, message: Value): void
  /** The oldest message of a channel; blocks until there is one. */
  receive(channel: string): Value
  /** The oldest message of a channel, or undefined where there is none. */
  tryReceive(channel: string): Value
  /** Ends a thread now: it takes no further step, even if it is asleep. No effect on one that ended. */
  terminate(thread: string): void
  /** Like {@link terminate}, as the real one: the thread may still take steps before it is gone. */
  kill(thread: string): void
  /** Blocks until a thread is gone, in whatever way: the 'exit' event. */
  ended(thread: string): void
  /**
   * The thread's function begins anew, with `state` as its third argument, and forgets all the rest.
   * No step. For loops: rounds that know the same are one state, whatever came before.
   */
  again(state: Value): never
  /** Records something for the oracle. */
  note(name: string, value?: Value): void
}

/** A note in the log, and whose it is. */
export interface Note {
  readonly thread: string
  readonly name: string
  readonly value: Value
}

/** How it stands with a thread when no thread can take a step. */
export type Outcome =
  | { readonly state: 'returned'; readonly value: Value }
  | { readonly state: 'terminated' }
  | {
      /** Asleep in `wait`, or blocked in `receive` or `ended`. */
      readonly state: 'asleep'
      /** What it waits for, in words. */
      readonly on: string
      /** Its wait has a time-out that was not explored, because the schedule has had its share. */
      readonly timed: boolean
    }

/** A state in which no thread can take a step. */
export interface End {
  /** By the names of the threads. */
  readonly threads: Readonly<Record<string, Outcome>>
  readonly log: readonly Note[]
}

/** A complaint in one sentence, or nothing. To throw is as good. */
export type Complaint = string | void

/**
 * A function of a thread. It must do the same whenever its steps have the same results: it is run again from its
 * start for each step. So it keeps no state outside itself but in shared memory.
 */
type Body<Context> = {
  run(context: Context, model: Model, state: Value): Value | void
}['run']

/** An access of a shared word past the door. */
export interface PlainAccess {
  readonly thread: string
  readonly words: Words
  readonly index: number
  readonly isWrite: boolean
  /** Whether a thread is gone. */
  readonly isGone: (thread: string) => boolean
}

/** Real code with the threads that run it, and the promises that must hold in every interleaving. */
export interface Protocol<Context = unknown> {
  readonly name: string
  /** What holds in every interleaving, in a sentence or two. */
  readonly promise: string
  /** Makes the shared words, before any thread runs. What it gives is handed to everybody. */
  setUp(): Context
  /** By name, in the order of their numbers in a schedule. */
  readonly threads: Readonly<Record<string, Body<Context>>>
  /**
   * Judges each state in which no thread can take a step. It may call the real code, on the words as they
   * are then, and change them.
   */
  check(end: End, context: Context): Complaint
  /** Judges each state. With it, the words of one thread alone are interleaved as well. */
  always?(context: Context): Complaint
  /**
   * Judges each plain access (`words[index]`): whoever makes it must hold the word, so that no other thread uses it
   * before a step of the holder gives it away. It may call real code that looks at words. Without it
   * plain accesses are refused.
   */
  holds?(access: PlainAccess, context: Context): Complaint
  /** Whether a word is for a clock's readings, of which only that there is one may decide: it holds 0 or 1. */
  isTime?(index: number, context: Context, words: Words): boolean
  /** The name of a word, for those who read a schedule. */
  wordName?(index: number, context: Context, words: Words): string
  /** What a value of a word means. */
  valueName?(value: number, index: number): string
  /** The most pre-emptions of a schedule; all of them when it is left out. */
  readonly preemptions?: number
  /** The most time-outs of waits in a schedule. Default 1. */
  readonly timeOuts?: number
}

/** Loads a compiled module of the project, such as `worker/state.js`. */
export type Code = (file: string) => Promise<unknown>

/** What a file in `protocols/` exports as default: gets the code to be checked. */
export type MakeProtocol = (code: Code) => Promise<Protocol>

/** The protocol or the checker is used wrongly; no promise is broken. */
export class Misuse extends Error {
  override readonly name = 'Misuse'
}
