/**
 * When to look again and again before going to sleep, and when not.
 *
 * A wake costs the waker and the woken some 10 to 25 µs; a look costs nothing but the processor. So
 * both sides look for a while, longer than the other side takes to wake up: else each would wait for
 * the other's wake for ever (measured: with 4 to 8 µs both got stuck in sleeping). Where looking was
 * in vain it is left out, more and more often, and tried again at the latest after so many sleeps.
 * Where this thread was put aside while it looked, the processor is wanted by somebody else.
 *
 * @module
 */
import { now } from '../os/clock.js'

/** Above the wake-up time of the other side. */
const budgetMs = 0.05
/** A pause in the looking that is longer than this was somebody else's. */
const preemptedMs = 0.3
/** At most so many sleeps without looking first. */
const mostSkips = 512
/** A look takes some 20 ns, the clock 50. */
const looksPerClock = 32

/** One side's habit. */
export class Spin {
  readonly #on: boolean
  #misses = 0
  #skips = 0

  /** `on`: whether there is another CPU; on one alone, whoever looks keeps the other from working. */
  constructor(on: boolean) {
    this.#on = on
  }

  /**
   * Looks until `isThere` says yes, the time is over, or looking is not worth it now.
   *
   * @returns whether it said yes
   */
  look(isThere: () => boolean): boolean {
    if (!this.begins()) return false
    let last = now()
    const until = last + budgetMs
    for (;;) {
      for (let look = 0; look < looksPerClock; look++) {
        if (isThere()) {
          this.hit()
          return true
        }
      }
      const at = now()
      if (at > until || at - last > preemptedMs) {
        this.miss()
        return false
      }
      last = at
    }
  }

  /** Whether to look this time. */
  begins(): boolean {
    if (!this.#on) return false
    if (this.#skips === 0) return true
    this.#skips--
    return false
  }

  /** It was worth it. */
  hit(): void {
    this.#misses = 0
  }

  /** It was not. */
  miss(): void {
    this.#misses++
    // The first few are chance.
    if (this.#misses > 3) this.#skips = Math.min(2 ** (this.#misses - 3), mostSkips)
  }

  /** How long to look, in milliseconds. */
  static readonly budgetMs: number = budgetMs
}
