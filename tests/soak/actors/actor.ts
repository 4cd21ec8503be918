/**
 * A part of the load.
 *
 * @module
 */
import { WorkQueue, type WorkQueueOptions } from 'userworker'
import type { Ledger } from '../ledger.js'
import type * as Works from '../works.js'

/** Gives a whole number from 0 up to, but not including, its argument. */
export type Dice = (below: number) => number

/** Does something again and again while there is load. */
export interface Actor {
  readonly name: string
  /** Once more; takes about a second at most, where the machine is not busy. */
  turn(): Promise<void>
  /** Brings what stays to where it always is when everything is at rest. */
  rest(): Promise<void>
  /** The end. */
  close(): Promise<void>
}

/** What an actor is made from. */
export interface Stage {
  readonly ledger: Ledger
  readonly dice: Dice
  /** A folder for its files. */
  readonly folder: string
}

export type Queue = WorkQueue<typeof Works>

/** A queue of the load's handlers. */
export function queueOf(ledger: Ledger, options: WorkQueueOptions): Queue {
  const { begun, begunFile } = ledger
  const data = options.isolation === 'process' ? { begunFile } : { begun }
  return new WorkQueue<typeof Works>(new URL('../works.js', import.meta.url), { data, ...options })
}

/** An actor that keeps nothing between its turns. */
export function passing(name: string, turn: () => Promise<void>): Actor {
  const nothing = async (): Promise<void> => {}
  return { name, turn, rest: nothing, close: nothing }
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** One of several. */
export function oneOf<Each>(dice: Dice, several: readonly Each[]): Each {
  return several[dice(several.length)] as Each
}
