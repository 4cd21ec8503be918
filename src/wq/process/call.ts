/**
 * A call that a child process runs, from its worker's thread.
 *
 * Who settles it: the child's answer. When the child ends instead, nobody: the thread ends too, and the
 * owner settles its works.
 *
 * @module
 */
import { reportOf, thrownOf } from '../../worker/thread-side.js'
import type { Running } from '../running-work.js'
import type { ToChild, ToThread } from './protocol.js'
import { unpack } from './values.js'

/** What the child says of a call. */
type Answer = Extract<ToThread, { readonly call: number }>

export class Call {
  /** What it returned, or threw. */
  readonly ended: Promise<unknown>
  readonly #id: number
  readonly #work: Running | null
  readonly #tell: (message: ToChild) => void
  readonly #items: unknown[] = []
  #hasEnded = false
  #settle: { resolve(value: unknown): void; reject(error: unknown): void } | null = null
  #wake: () => void = () => {}
  readonly #abort = (): void => this.abort()

  constructor(id: number, work: Running | null, tell: (message: ToChild) => void) {
    this.#id = id
    this.#work = work
    this.#tell = tell
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    if (work === null) return
    if (work.isAborted) this.abort()
    else work.signal.addEventListener('abort', this.#abort, { once: true })
  }

  abort(): void {
    const reason = reportOf(this.#work?.signal.reason)
    this.#tell({ type: 'abort', call: this.#id, reason })
  }

  hear(message: Answer): void {
    if (message.type === 'threw') return this.#end({ error: thrownOf(message.error) })
    let value: unknown
    try {
      value = unpack(message.value, 'A value of a work')
    } catch (error) {
      return this.#end({ error })
    }
    if (message.type === 'done') this.#end({ value })
    else if (message.type === 'progress') this.#work?.progress(value)
    else {
      this.#items.push(value)
      this.#wake()
    }
  }

  /** The items of a stream; leaving them aborts the call, and waits for its end. */
  async *items(): AsyncGenerator {
    // The end is asked for below.
    this.ended.catch(() => {})
    try {
      for (;;) {
        while (this.#items.length > 0) {
          yield this.#items.shift()
          this.#tell({ type: 'credit', call: this.#id, count: 1 })
        }
        if (this.#hasEnded) break
        // Waker: an item, and the end.
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      if (!this.#hasEnded) {
        this.abort()
        await this.ended.catch(() => {})
      }
    }
    await this.ended
  }

  #end(end: { readonly value: unknown } | { readonly error: unknown }): void {
    this.#hasEnded = true
    this.#work?.signal.removeEventListener('abort', this.#abort)
    if ('value' in end) this.#settle?.resolve(end.value)
    else this.#settle?.reject(end.error)
    this.#wake()
  }
}
