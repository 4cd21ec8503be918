/**
 * Keys: works with the same key run one after the other, in the order of their submission; works
 * with other keys, or none, are not held up by them (INV-IOWQ-5, -6, -7). Keys are exact values
 * (C-4).
 *
 * A key is busy from the moment a work of it became runnable until that work has left its worker.
 * The works behind it wait here, and not in the list of a class; so no worker is made for them
 * (WQ-24).
 *
 * @module
 */
import { WorkList, type QueuedWork } from './work.js'

/** The busy keys of a queue, and the works that wait for each. */
export class BusyKeys {
  readonly #waiting = new Map<unknown, WorkList>()
  #count = 0

  /** Whether no work waits for a key. */
  get isDrained(): boolean {
    return this.#count === 0
  }

  /** Takes the work's key, or lines the work up behind it. True: the work is runnable. */
  enter(work: QueuedWork): boolean {
    if (work.key === undefined) return true
    const waiting = this.#waiting.get(work.key)
    if (waiting === undefined) {
      this.#waiting.set(work.key, new WorkList())
      return true
    }
    waiting.push(work)
    this.#count++
    return false
  }

  /** Takes a work out of the line behind its key. False: it does not stand in one. */
  withdraw(work: QueuedWork): boolean {
    const waiting = work.key === undefined ? undefined : this.#waiting.get(work.key)
    if (waiting === undefined || work.list !== waiting) return false
    waiting.remove(work)
    this.#count--
    return true
  }

  /**
   * Gives up the key of a work that held it, and returns the next work of that key, which holds it
   * now.
   */
  leave(work: QueuedWork): QueuedWork | null {
    if (work.key === undefined) return null
    const next = this.#waiting.get(work.key)?.shift() ?? null
    if (next === null) this.#waiting.delete(work.key)
    else this.#count--
    return next
  }

  /** All works that wait for a key. */
  *waiting(): Iterable<QueuedWork> {
    for (const list of this.#waiting.values()) yield* list
  }
}
