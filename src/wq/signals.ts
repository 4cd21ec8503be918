/**
 * One listener for each distinct AbortSignal, however many works were submitted with it.
 *
 * @module
 */
import type { QueuedWork } from './work.js'

/** The signals of works that are not settled yet. */
export class Signals {
  readonly #watched = new Map<AbortSignal, { works: Set<QueuedWork>; listener: () => void }>()
  readonly #onAbort: (works: readonly QueuedWork[], reason: unknown) => void

  constructor(onAbort: (works: readonly QueuedWork[], reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  watch(work: QueuedWork): void {
    const { signal } = work
    if (signal === null) return
    const watched = this.#watched.get(signal)
    if (watched !== undefined) {
      watched.works.add(work)
      return
    }
    const works = new Set([work])
    const listener = (): void => {
      this.#watched.delete(signal)
      this.#onAbort([...works], signal.reason)
    }
    signal.addEventListener('abort', listener, { once: true })
    this.#watched.set(signal, { works, listener })
  }

  /** To be called once a work is settled. */
  forget(work: QueuedWork): void {
    if (work.signal === null) return
    const watched = this.#watched.get(work.signal)
    if (watched === undefined || !watched.works.delete(work) || watched.works.size > 0) return
    work.signal.removeEventListener('abort', watched.listener)
    this.#watched.delete(work.signal)
  }
}
