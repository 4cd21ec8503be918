/**
 * What a worker's function gets as its second argument: its view of itself.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { after, now } from '../os/clock.js'
import { checkTimeMs } from '../validate.js'
import { Flag, hasFlag } from './state.js'
import { at, Field } from './table.js'

/**
 * What a sleep gives when a stop broke it, and the exit code of a worker whose function never ran:
 * -4, as in the kernel.
 */
export const EINTR = -4

/** A worker, seen from inside its own thread. */
export interface Self {
  /** The name given at creation. */
  readonly name: string
  /** Its number in this process, counted from 1 and never given twice. */
  readonly id: number
  /**
   * Aborted when a stop was requested, as soon as this thread's event loop hears of it: never
   * inside the function's own synchronous code, so that a listener added there is not too late.
   * Loops that never await ask {@link shouldStop}.
   */
  readonly signal: AbortSignal
  /**
   * Whether somebody asked this worker to stop: true from then on for ever (KT-8). Also seen in a
   * loop that never awaits.
   */
  shouldStop(): boolean
  /**
   * Sleeps in the event loop. A stop ends it at once (KT-9).
   *
   * @param ms - milliseconds, from 0 to 2^31 - 1
   * @returns 0 after the full time, {@link EINTR} when a stop was requested before or meanwhile
   */
  sleep(ms: number): Promise<0 | typeof EINTR>
  /** Like {@link sleep}, but blocks the thread and with it the thread's event loop. */
  sleepSync(ms: number): 0 | typeof EINTR
}

/** The worker of this thread, with the bell that the owner rings. */
export class OwnSelf implements Self {
  readonly name: string
  readonly #words: Words
  readonly #row: number
  readonly #stop = new AbortController()
  /** Called at each ring of the bell: sleepers, and the gate. */
  readonly #listeners = new Set<() => void>()

  constructor(words: Words, row: number, name: string) {
    this.#words = words
    this.#row = row
    this.name = name
  }

  get id(): number {
    return memory.load(this.#words, at(this.#row, Field.ID))
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  shouldStop(): boolean {
    return hasFlag(memory.load(this.#words, at(this.#row, Field.CONTROL)), Flag.STOP)
  }

  sleep(ms: number): Promise<0 | typeof EINTR> {
    checkTimeMs('sleep: ms', ms)
    return new Promise((resolve) => {
      const done = (result: 0 | typeof EINTR): void => {
        timer.cancel()
        this.#listeners.delete(look)
        resolve(result)
      }
      // Waker: `requestStop` sets the flag, then rings. The flag is read after we listen, so no
      // ring is missed.
      const look = (): void => {
        if (this.shouldStop()) done(EINTR)
      }
      const timer = after(ms, () => done(0))
      this.#listeners.add(look)
      look()
    })
  }

  sleepSync(ms: number): 0 | typeof EINTR {
    checkTimeMs('sleepSync: ms', ms)
    const until = now() + ms
    const sequence = at(this.#row, Field.SEQUENCE)
    for (;;) {
      // Waker: `requestStop` sets the flag, then moves the sequence. Read in the opposite order:
      // either the flag is seen here, or the sequence has moved and the wait returns at once
      // (INV-KT-5).
      const seen = memory.load(this.#words, sequence)
      if (this.shouldStop()) return EINTR
      const left = until - now()
      if (left <= 0) return 0
      memory.wait(this.#words, sequence, seen, left)
    }
  }

  /** The owner rang: requests were set in the control word. */
  ring(): void {
    for (const listener of this.#listeners) listener()
    if (this.shouldStop()) this.#stop.abort()
  }

  /** Calls `listener` at each ring, until the function returned is called. */
  onRing(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
