/**
 * A simulated thread.
 *
 * | state   | holds                                                             | left by                   |
 * | ------- | ----------------------------------------------------------------- | ------------------------- |
 * | coming  | it was asked for                                                  | the machine: it begins    |
 * | running | its event loop turns                                              | its death, at any step    |
 * | dying   | it is dead, and calls of it are still to be left, further down    | the machine: they are     |
 * | gone    | nothing of it can run; its maker hears of it                      | nobody                    |
 *
 * @module
 */
import type { EventEmitter } from 'node:events'
import { Loop, type Inlet } from './loop.js'
import type { Holder } from './port.js'
import type { Intrinsics, Realm } from './realm.js'

class Ended extends Error {
  override name = 'Ended'
}

/** What each call of a thread that has died throws, until nothing of it is left on the stack. */
export const ended: Error = new Ended('This thread has died')

export class Thread implements Holder {
  readonly loop = new Loop()
  state: 'coming' | 'running' | 'dying' | 'gone' = 'coming'
  /** Steps at shared memory, so far. */
  steps = 0
  /** It dies at this step. */
  diesAt = Infinity
  /** It does nothing until then. */
  standsUntil = 0
  /** It was told to end by then. */
  terminatedAt = Infinity
  /** Since when it runs without a break. */
  goesOnSince = 0
  exitCode = 0
  /** Whether its own code ended it. */
  hasLeft = false
  /** Why it died, where that was an error. */
  error: unknown = null
  /** Steps in which nothing else can come between, and that count for nothing. */
  isObserved = false
  /** What is to be given back with it. */
  readonly stores: { disable(): void }[] = []
  /** Tells its maker. */
  onGone: () => void = () => {}

  constructor(
    readonly id: number,
    readonly name: string,
    readonly realm: Realm,
    /** Null: it is that of the program. */
    readonly maker: Thread | null,
    readonly environmentData: Map<unknown, unknown>,
    /** The listeners of its `process`. */
    readonly process: EventEmitter,
  ) {}

  get intrinsics(): Intrinsics {
    return this.realm.intrinsics
  }

  get inlets(): Set<Inlet> {
    return this.loop.inlets
  }

  check(): void {
    if (this.state !== 'running') throw ended
  }

  /** From here on it does nothing more. */
  die(exitCode: number, error: unknown = null): void {
    if (this.state === 'dying' || this.state === 'gone') return
    this.state = 'dying'
    this.exitCode = exitCode
    this.error = error
  }
}
