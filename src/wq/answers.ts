/**
 * What a worker's thread answers by message, from its owner's side.
 *
 * @module
 */

/** What came by message of the works that have ended, in the order of their ends. */
export type Result =
  | { readonly value: unknown }
  | { readonly error: unknown }
  | { readonly unreadable: unknown }

type Answer = { readonly value: unknown } | { readonly error: unknown }

/** The calls of broadcasts that a worker has not answered. What settles one: its answer; else the thread's end. */
export class BroadcastCalls {
  readonly #calls = new Map<number, (answer: Answer) => void>()
  #last = 0

  /** The number of a call that is to be sent. */
  next(): number {
    return ++this.#last
  }

  /** What comes of a call that was sent just now. */
  answerTo(call: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.set(call, (answer) => {
        this.#calls.delete(call)
        if ('value' in answer) resolve(answer.value)
        // What a handler has thrown may be anything.
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        else reject(answer.error)
      })
    })
  }

  settle(call: number, answer: Answer): void {
    this.#calls.get(call)?.(answer)
  }

  /** The thread is gone. */
  fail(error: Error): void {
    for (const settle of this.#calls.values()) settle({ error })
  }
}
