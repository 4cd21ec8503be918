/**
 * Ctrl-C. The first one ends the demo in order; another one ends it at once.
 *
 * @module
 */
import { constants } from 'node:os'
import { now } from '../../os/clock.js'

/**
 * A program between the terminal and us, such as npx, may pass on a Ctrl-C that we have got
 * already.
 */
const sameMs = 100

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * The terminal went away. Under nohup, where it has to be ignored, standard output is no terminal.
 */
const hangUp = process.stdout.isTTY ? (['SIGHUP'] as const) : []

/** Why the demo ended early: the reason of the signal that all its parts look at. */
export class Interrupted extends Error {
  /** What became of the works, where there were any. */
  works = ''

  constructor(readonly by: NodeJS.Signals) {
    super(`interrupted by ${by}`)
  }

  /** As a shell gives it for a program that the signal ended. */
  get exitCode(): number {
    return 128 + constants.signals[this.by]
  }
}

/** Listens for SIGINT, SIGTERM and, on a terminal, SIGHUP. */
export class InterruptListener {
  readonly #abort = new AbortController()
  readonly #onSecond: (interrupted: Interrupted) => void
  #firstAt = 0

  /** @param onSecond - ends the process */
  constructor(onSecond: (interrupted: Interrupted) => void) {
    this.#onSecond = onSecond
    for (const name of signals) process.on(name, this.#hear)
    for (const name of hangUp) process.on(name, this.#hangUp)
  }

  /** Aborted by the first one, with an {@link Interrupted} as its reason. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  close(): void {
    for (const name of signals) process.off(name, this.#hear)
    for (const name of hangUp) process.off(name, this.#hangUp)
  }

  readonly #hear = (by: NodeJS.Signals): void => {
    if (!this.signal.aborted) {
      this.#firstAt = now()
      this.#abort.abort(new Interrupted(by))
    } else if (now() - this.#firstAt >= sameMs) this.#onSecond(new Interrupted(by))
  }

  /** It may follow a Ctrl-C, and is no second one. */
  readonly #hangUp = (by: NodeJS.Signals): void => {
    if (!this.signal.aborted) this.#abort.abort(new Interrupted(by))
  }
}
