/**
 * One listener for each distinct AbortSignal, however many works were submitted with it.
 *
 * @module
 */
import type { QueuedWork } from './work.js'

/** The signals of works that are not settled yet. */
export class Signals {
  /** The works of each signal: most signals have one. */
  readonly #watched = new Map<AbortSignal, QueuedWork | Set<QueuedWork>>()
  readonly #onAbort: (works: readonly QueuedWork[], reason: unknown) => void
  /** The same function for all signals: what was aborted is the event's target. */
  readonly #listener = (event: Event): void => {
    const signal = event.target as AbortSignal
    const works = this.#watched.get(signal)
    if (works === undefined) return
    this.#stop(signal)
    this.#onAbort(works instanceof Set ? [...works] : [works], signal.reason)
  }

  constructor(onAbort: (works: readonly QueuedWork[], reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  watch(work: QueuedWork): void {
    const { signal } = work
    if (signal === null) return
    const works = this.#watched.get(signal)
    if (works === undefined) {
      signal.addEventListener('abort', this.#listener)
      this.#watched.set(signal, work)
    } else if (works instanceof Set) works.add(work)
    else this.#watched.set(signal, new Set([works, work]))
  }

  /** To be called once a work is settled. */
  forget(work: QueuedWork): void {
    const { signal } = work
    if (signal === null) return
    const works = this.#watched.get(signal)
    if (works instanceof Set) {
      works.delete(work)
      if (works.size === 0) this.#stop(signal)
    } else if (works === work) this.#stop(signal)
  }

  #stop(signal: AbortSignal): void {
    signal.removeEventListener('abort', this.#listener)
    this.#watched.delete(signal)
  }
}
