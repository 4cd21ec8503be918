/**
 * A work, in the hands of the thread that runs it.
 *
 * @module
 */
import type { Step } from '../carry/index.js'
import type { CurrentWork } from './running.js'

/** What a work asks of the thread that runs it: see `serving.ts`. */
export interface RunningThread {
  checkpoint(work: Running): void
  blocking<Result>(call: () => Result): Result
  progress(work: Running, value: unknown): void
}

export class Running implements CurrentWork {
  name = ''
  key: unknown = undefined
  /** Whether its handler was called. */
  called = false
  ended = false
  /** Whether it has told its caller something, by message. */
  hasTold = false
  /** Come by message, and not yet passed to the handler. */
  args: readonly unknown[] | null = null
  /** What its caller carries, and is put in place around its handler. */
  steps: readonly Step[] = []
  readonly #serving: RunningThread
  /** Made when somebody asks for the signal: most handlers never do. */
  #abort: AbortController | null = null
  #reason: { readonly value: unknown } | null = null

  /** Items of a stream that the caller has room for. */
  #credit = 16
  #credited: (() => void) | null = null

  constructor(
    serving: RunningThread,
    readonly slot: number,
    readonly generation: number,
    readonly format: number,
    readonly id: number,
    readonly nameNumber: number,
  ) {
    this.#serving = serving
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#reason !== null) this.#abort.abort(this.#reason.value)
    }
    return this.#abort.signal
  }

  get isAborted(): boolean {
    return this.#reason !== null
  }

  abort(reason: unknown): void {
    this.#reason ??= { value: reason }
    this.#abort?.abort(reason)
    this.#credited?.()
  }

  /** The caller has taken so many items. */
  addCredit(count: number): void {
    this.#credit += count
    this.#credited?.()
  }

  /** Waits for room for an item. False: the items are not wanted any more. */
  async room(): Promise<boolean> {
    // Waker: `addCredit` and `abort`.
    while (this.#credit <= 0 && !this.isAborted) {
      await new Promise<void>((resolve) => {
        this.#credited = resolve
      })
    }
    this.#credit--
    return !this.isAborted
  }

  checkpoint(): void {
    this.#serving.checkpoint(this)
  }

  blocking<Result>(call: () => Result): Result {
    return this.#serving.blocking(call)
  }

  progress(value: unknown): void {
    this.#serving.progress(this, value)
  }
}
