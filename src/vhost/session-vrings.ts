/**
 * All vrings of a session. What they have in common changes while none of them runs: those that did go
 * on afterwards where they stood.
 *
 * @module
 */
import { ProtocolError } from './protocol-error.js'
import { VringState, type VringContext } from './vring-state.js'

export class SessionVrings {
  readonly #vrings: readonly VringState[]

  constructor(count: number, context: VringContext) {
    this.#vrings = Array.from({ length: count }, (_, index) => new VringState(index, context))
  }

  /** @throws ProtocolError: there is no such vring */
  at(index: number): VringState {
    const vring = this.#vrings[index]
    if (vring !== undefined) return vring
    throw new ProtocolError(`There is no vring ${index}: the device has ${this.#vrings.length}`)
  }

  /**
   * Makes a change while no vring runs.
   *
   * @throws Refusal: the change could not be made; or it was, and a vring cannot go on
   */
  async whileStopped(change: () => void | Promise<void>): Promise<void> {
    await this.#each((vring) => vring.pause())
    try {
      await change()
    } finally {
      await this.#each((vring) => vring.start())
    }
  }

  /** The dirty log begins, ends, or is another one. */
  async logChanged(): Promise<void> {
    await this.#each((vring) => vring.logChanged())
  }

  /** Stops all, until new kicks come. */
  async halt(): Promise<void> {
    await this.#each((vring) => vring.halt())
  }

  /** Stops all, and forgets how they were set up. */
  async reset(): Promise<void> {
    await this.#each((vring) => vring.reset())
  }

  /** Closes all descriptors; for the end, when no thread has any. */
  close(): void {
    for (const vring of this.#vrings) vring.close()
  }

  /** All at once, and all to the end, whatever one of them meets. @throws what the first one met */
  async #each(step: (vring: VringState) => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(this.#vrings.map(step))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
