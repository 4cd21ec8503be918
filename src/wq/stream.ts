/**
 * The items of a work, as its handler gives them.
 *
 * @module
 */
import type { Dispatch } from './dispatch.js'
import type { QueuedWork } from './work.js'

/** The handler is told after so many items that were taken; it may be twice as many ahead. */
const creditEvery = 8

export class Stream implements AsyncIterableIterator<unknown> {
  readonly #dispatch: Dispatch
  readonly #submit: (onItem: (value: unknown) => void) => QueuedWork
  #work: QueuedWork | null = null
  readonly #items: unknown[] = []
  #taken = 0
  #end: { readonly error: unknown } | 'done' | null = null
  /** Those who called `next` and have no answer yet. */
  readonly #waiting: (() => void)[] = []

  constructor(dispatch: Dispatch, submit: (onItem: (value: unknown) => void) => QueuedWork) {
    this.#dispatch = dispatch
    this.#submit = submit
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown>> {
    this.#begin()
    // Waker: an item, or the end of the work.
    while (this.#items.length === 0 && this.#end === null) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    if (this.#items.length > 0) {
      const value = this.#items.shift()
      if (++this.#taken % creditEvery === 0 && this.#work !== null) {
        this.#dispatch.credit(this.#work, creditEvery)
      }
      return { done: false, value }
    }
    const end = this.#end
    // An error is told once.
    this.#end = 'done'
    if (end !== null && end !== 'done') throw end.error
    return { done: true, value: undefined }
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.#items.length = 0
    if (this.#end === null) {
      this.#end = 'done'
      this.#work?.cancel()
      this.#wake()
    }
    return { done: true, value }
  }

  #begin(): void {
    if (this.#work !== null || this.#end !== null) return
    // Its items may come before this returns: a worker is quick where this thread is put aside.
    const work = this.#submit((value) => {
      if (this.#end !== null) return
      this.#items.push(value)
      this.#wake()
    })
    this.#work = work
    work.result.then(
      () => this.#finish('done'),
      (error: unknown) => this.#finish({ error }),
    )
  }

  #finish(end: { readonly error: unknown } | 'done'): void {
    this.#end ??= end
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
