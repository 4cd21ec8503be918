/**
 * The door to the event loop's life: while a promise of ours is pending, the loop that will settle
 * it stays alive. Workers keep no process alive by themselves; whoever waits for one does.
 *
 * @module
 */
import { keepAlive, type Timer } from './clock.js'

const open = new Map<number, () => string>()
let alive: Timer | null = null
let lastId = 0

/**
 * Keeps this thread's event loop alive until the function returned is called, which answers whether
 * it was the first call.
 *
 * @param what - says what is waited for, when {@link pendingPromises} asks
 */
export function hold(what: () => string): () => boolean {
  const id = ++lastId
  open.set(id, what)
  alive ??= keepAlive()
  return () => {
    if (!open.delete(id)) return false
    if (open.size === 0) {
      alive?.cancel()
      alive = null
    }
    return true
  }
}

/**
 * A promise that the library gave out, and the means to settle it. The first settlement counts;
 * later ones have no effect and answer false.
 */
export class Pending<T> {
  readonly promise: Promise<T>
  readonly #release: () => boolean
  #resolve: (value: T) => void = () => {}
  #reject: (reason: Error) => void = () => {}

  constructor(what: string) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#release = hold(() => what)
  }

  resolve(value: T): boolean {
    const first = this.#release()
    if (first) this.#resolve(value)
    return first
  }

  reject(reason: Error): boolean {
    const first = this.#release()
    if (first) this.#reject(reason)
    return first
  }
}

/** What this thread still waits for: an entry for each promise given out and not settled. */
export function pendingPromises(): string[] {
  return [...open.values()].map((what) => what())
}
