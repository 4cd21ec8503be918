/**
 * The shared words between a measuring thread and a measured one.
 *
 * | word   | writer                                | reader                          |
 * | ------ | ------------------------------------- | ------------------------------- |
 * | `RING` | the measurer: one more for each ring  | the measured thread, waits on it |
 * | `AIM`  | the measurer: 1; the measured: 0      | both; the measurer waits on it  |
 * | `PARK` | the measurer: odd means "park"        | the measured thread, waits on it |
 * | time   | the measured, before it clears `AIM`  | the measurer, after             |
 *
 * @module
 */
import { nanoseconds } from './clock.js'

const RING = 0
const AIM = 1
const PARK = 2
const timeAt = 2 // in words of 8 bytes: behind the words of 4 bytes
const bytes = 24

/** A measured thread that does not answer for so long is a defect, not a slow machine. */
const patienceMs = 10_000

export class Bell {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #times: BigInt64Array

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(bytes)) {
    this.shared = shared
    this.#words = new Int32Array(shared)
    this.#times = new BigInt64Array(shared)
  }

  /** How often it rang. */
  get rings(): number {
    return Atomics.load(this.#words, RING)
  }

  /** Wakes the thread that {@link sleep}s. */
  ring(): void {
    Atomics.add(this.#words, RING, 1)
    Atomics.notify(this.#words, RING)
  }

  /** Blocks until it has rung more often than `seen`. */
  sleep(seen: number): void {
    Atomics.wait(this.#words, RING, seen)
  }

  /** Asks for the time at which the measured thread next runs its code; then wake it. */
  aim(): void {
    Atomics.store(this.#words, AIM, 1)
  }

  /** In the measured thread: it runs. Says whether anybody asked. */
  hit(): boolean {
    if (Atomics.load(this.#words, AIM) === 0) return false
    Atomics.store(this.#times, timeAt, nanoseconds())
    Atomics.store(this.#words, AIM, 0)
    Atomics.notify(this.#words, AIM)
    return true
  }

  /** Blocks until the measured thread ran, and says when it did. */
  timeOfHit(): bigint {
    if (Atomics.wait(this.#words, AIM, 1, patienceMs) === 'timed-out') {
      throw new Error(`the measured thread did not run within ${patienceMs} ms`)
    }
    return Atomics.load(this.#times, timeAt)
  }

  /** Asks the measured thread to park, or lets it go on: each call is the other one. */
  turn(): void {
    Atomics.add(this.#words, PARK, 1)
    Atomics.notify(this.#words, PARK)
  }

  /** In the measured thread: whether it is to park. */
  isParking(): boolean {
    return Atomics.load(this.#words, PARK) % 2 === 1
  }

  /** In the measured thread: parks, after `tell`. */
  park(tell: () => void): void {
    const turn = Atomics.load(this.#words, PARK)
    if (turn % 2 === 0) return
    tell()
    Atomics.wait(this.#words, PARK, turn)
  }
}
