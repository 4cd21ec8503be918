/**
 * How many works a queue takes.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { Pending } from '../os/pending.js'

export class Room {
  readonly #name: string
  readonly #limit: number
  readonly #waiting: Pending<void>[] = []

  constructor(name: string, limit: number) {
    this.#name = name
    this.#limit = limit
  }

  /** Whether another work beside so many unsettled ones is too much. */
  isFull(unsettled: number): boolean {
    return unsettled >= this.#limit
  }

  refusal(): UserWorkerError {
    const text = `The queue '${this.#name}' is full: ${this.#limit} works are unsettled. Await queue.drain()`
    return new UserWorkerError('EAGAIN', text)
  }

  /** Resolves when there is room. Waker: `settled`, at the end of each work. */
  async drain(unsettled: number): Promise<void> {
    if (!this.isFull(unsettled)) return
    const pending = new Pending<void>(`drain of '${this.#name}'`)
    this.#waiting.push(pending)
    await pending.promise
  }

  settled(unsettled: number): void {
    if (this.#waiting.length === 0 || this.isFull(unsettled)) return
    for (const pending of this.#waiting.splice(0)) pending.resolve()
  }
}
