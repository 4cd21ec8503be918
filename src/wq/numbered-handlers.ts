/**
 * The handlers of a queue's worker, by the numbers that works refer to them with.
 *
 * @module
 */
import type { HandlerSource } from './host.js'

/** A handler, ready to be called. */
export interface Handler {
  readonly name: string
  readonly call: (args: readonly unknown[]) => unknown
}

export class Handlers {
  readonly #source: HandlerSource
  readonly #byNumber = new Map<number, Handler>()
  readonly #await: (number: number) => void

  /** `await` hears messages until the number was defined. */
  constructor(source: HandlerSource, awaitNumber: (number: number) => void) {
    this.#source = source
    this.#await = awaitNumber
  }

  has(number: number): boolean {
    return this.#byNumber.has(number)
  }

  /** The handler of a number; one that throws where the module has none of its name. */
  get(number: number): Handler {
    let found = this.#byNumber.get(number)
    if (found === undefined) {
      this.#await(number)
      found = this.#byNumber.get(number) as Handler
    }
    return found
  }

  /** The memory that they take, in MB. */
  get heapMb(): number {
    return this.#source.heapMb()
  }

  /** A name, or an inline function's text, got a number. */
  define(number: number, name: string, source: string | null): void {
    const call = source === null ? this.#source.named(name) : this.#source.inline(source, name)
    this.#byNumber.set(number, { name, call: (args) => call(...args) })
  }
}
