/**
 * The promises that wait for one worker's end.
 *
 * @module
 */
import type { Words } from '#memory'
import { UserWorkerError } from '../errors.js'
import { deadline, type Timer } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { beginJoin, unseen } from './joins.js'

/** How long somebody waits, and what they are told then. */
export interface Patience {
  readonly deadlineMs: number
  /** The error at the deadline. */
  late(): Error
}

export class EndWaits {
  readonly #words: Words
  readonly #id: number | null
  readonly #waits = new Set<(code: number) => void>()

  /** @param id - the number of the worker whose end is waited for; null where it has none here */
  constructor(words: Words, id: number | null) {
    this.#words = words
    this.#id = id
  }

  /** @throws UserWorkerError EDEADLK: that worker waits for the end of the calling thread's own */
  wait(what: string, patience?: Patience): Promise<number> {
    const join = this.#id === null ? unseen : beginJoin(this.#words, this.#id)
    if (join === null) {
      throw new UserWorkerError(
        'EDEADLK',
        `Waiting for the ${what} here would never finish: it waits for the end of this worker, ` +
          'directly or through others. Use requestStop(), which does not wait',
      )
    }
    const ended = new Pending<number>(what)
    let late: Timer | null = null
    const leave = (): void => {
      late?.cancel()
      this.#waits.delete(settle)
      join.end()
    }
    const settle = (code: number): void => {
      leave()
      ended.resolve(code)
    }
    this.#waits.add(settle)
    if (patience !== undefined) {
      late = deadline(patience.deadlineMs, () => {
        leave()
        ended.reject(patience.late())
      })
    }
    return ended.promise
  }

  /** The end has come. */
  settle(code: number): void {
    for (const settle of this.#waits) settle(code)
  }
}
