/**
 * How the owner's thread hears of completions.
 *
 * | state   | holds                                                  | left by                              |
 * | ------- | ------------------------------------------------------ | ------------------------------------ |
 * | resting | no work is out                                         | a submission                         |
 * | looking | it looks at each turn of the event loop                | no progress for a while: waiting     |
 * | waiting | its word says so; a worker that completes sends 'look' | 'look', or a submission              |
 *
 * Looking costs about a microsecond a turn, and other events are served meanwhile; it pays while
 * works take less than the 20 to 40 µs that a message takes.
 *
 * @module
 */
import type { Words } from '#memory'
import { now, onNextTurn } from '../os/clock.js'
import { ownerWaits, ownerWorks, Spin } from '../ring/index.js'

export class Pulse {
  readonly #owner: Words
  readonly #reap: () => boolean
  readonly #isOut: () => boolean
  readonly #spin: Spin
  #looking = false
  #waiting = false
  #since = 0

  /**
   * `spins` says whether there is another CPU to wait for; `reap` reads what there is and says
   * whether there was anything; `isOut` says whether a worker has, or could have, a work.
   */
  constructor(owner: Words, spins: boolean, reap: () => boolean, isOut: () => boolean) {
    this.#owner = owner
    this.#spin = new Spin(spins)
    this.#reap = reap
    this.#isOut = isOut
  }

  /** A work went out. */
  submitted(): void {
    if (this.#looking) return
    this.#begin()
  }

  /** A worker says that there is something to read. */
  look(): void {
    this.#stopWaiting()
    this.#reap()
    if (!this.#looking && this.#isOut()) this.#begin()
  }

  #begin(): void {
    if (this.#waiting && !this.#spin.begins()) return
    if (!this.#waiting && !this.#spin.begins()) {
      this.#wait()
      return
    }
    this.#stopWaiting()
    this.#looking = true
    this.#since = now()
    onNextTurn(this.#turn)
  }

  readonly #turn = (): void => {
    if (this.#reap()) {
      this.#spin.hit()
      this.#since = now()
    } else if (now() - this.#since > Spin.budgetMs) {
      this.#looking = false
      this.#spin.miss()
      if (this.#isOut()) this.#wait()
      return
    }
    if (this.#isOut()) onNextTurn(this.#turn)
    else this.#looking = false
  }

  #wait(): void {
    if (!this.#waiting) {
      this.#waiting = true
      ownerWaits(this.#owner)
    }
    // Pairs with `takeWaitingOwner`: what was completed before the word was set has no message.
    // A worker that took the word sends 'look', which may find that it was read here.
    this.#reap()
  }

  #stopWaiting(): void {
    if (!this.#waiting) return
    this.#waiting = false
    ownerWorks(this.#owner)
  }
}
