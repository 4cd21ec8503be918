/**
 * Where a handler meets its worker: what `current()` offers beside facts.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { outside } from '../carry/index.js'
import { block, Slot, slotOf, type ClassMemory } from '../ring/index.js'
import type { OwnSelf } from '../worker/thread-side.js'
import type { Post } from './post.js'
import type { Running, RunningThread } from './running-work.js'

export class SignalPoints implements RunningThread {
  readonly #memory: ClassMemory
  readonly #completions: Words
  readonly #self: OwnSelf
  readonly #post: Post

  constructor(classMemory: ClassMemory, completions: Words, self: OwnSelf, post: Post) {
    this.#memory = classMemory
    this.#completions = completions
    this.#self = self
    this.#post = post
  }

  /** For `current().checkpoint()`. */
  checkpoint(work: Running): void {
    this.#self.stand('anywhere')
    if (work.ended || memory.load(this.#memory.words, slotOf(work.slot) + Slot.TOLD) === 0) return
    // The reason was sent before the word was set.
    outside(() => this.#post.receive(() => work.isAborted))
    work.signal.throwIfAborted()
  }

  /** For `current().blocking()`. */
  blocking<Result>(call: () => Result): Result {
    block(this.#completions, 1)
    this.#post.tell({ type: 'blocked' })
    try {
      return call()
    } finally {
      block(this.#completions, -1)
    }
  }

  /** For `current().progress()`. */
  progress(work: Running, value: unknown): void {
    if (work.ended) return
    work.hasTold = true
    this.#post.tellValue({ type: 'progress', id: work.id, value }, 'What a work tells')
  }
}
