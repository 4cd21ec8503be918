/**
 * Works in order by key, for pools without keys: what their users have to write.
 *
 * @module
 */

/** Starts works with the same key one after the other. */
export class Chains {
  readonly #last = new Map<unknown, PromiseLike<unknown>>()

  /** Starts a work when those before it with its key have ended, however they did. */
  run(key: unknown, start: () => PromiseLike<unknown>): PromiseLike<unknown> {
    const before = this.#last.get(key)
    const work = before === undefined ? start() : before.then(start, start)
    this.#last.set(key, work)
    const forget = (): void => {
      if (this.#last.get(key) === work) this.#last.delete(key)
    }
    work.then(forget, forget)
    return work
  }

  /** Of how many keys works have not ended. */
  get keys(): number {
    return this.#last.size
  }
}
