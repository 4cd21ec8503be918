/**
 * What the code inside a simulated thread may ask of the simulation.
 *
 * @module
 */
import type { Ledger } from '../ledger.js'

/** What every thread has. */
export interface Simulated {
  /** This thread's name. */
  readonly name: string
  readonly ledger: Ledger
  /** A whole number from 0 up to, not including, this. */
  readonly below: (limit: number) => number
  /** Counts a fault. */
  fault(kind: string): void
}

/** What a thread of handlers has. */
export interface SimulatedThread extends Simulated {
  /** Blocks the thread. */
  block(ms: number): void
  /** Whether the module is to fail to load here. */
  isUnfit(): boolean
  began(id: number, store: string | undefined): void
  ended(id: number, end: 'returned' | 'threw'): void
}

/** What the program has. */
export interface SimulatedProgram extends Simulated {
  /** Whether others may come in between its steps. */
  interruptible(may: boolean): void
  /** From here on nothing goes wrong any more. */
  calm(): void
  /** Looks at something, without a step of the program. */
  observe<Result>(look: () => Result): Result
  /** An operation of the program. */
  operation(text: () => string): void
  /** The state of a server has changed. */
  edge(text: string): void
}

/** What the handlers' module is called. */
export const handlersUrl = 'simulated:handlers'
/** Where threads begin. */
export const entryUrl = 'simulated:entry'
