/**
 * Who has the device: a session that has said SET_OWNER, or, for a while after its end, nobody yet.
 *
 * | state | means                                              | left by                                     |
 * | ----- | -------------------------------------------------- | ------------------------------------------- |
 * | free  | the backend has no owner, and no threads           | `take`: held                                |
 * | held  | a session has it                                   | `leave`: kept, or free; `reset`: free       |
 * | kept  | its session is over; the threads wait for another  | `take`: held; the window's end, or `reset`: free |
 *
 * @module
 */
import { deadline, type Timer } from '../os/clock.js'
import type { Backend } from './backend.js'
import { Refusal } from './refusal.js'

export class Ownership {
  readonly #backend: Backend
  readonly #keepMs: number
  readonly #onError: (error: Error) => void
  #state: 'free' | 'held' | 'kept' = 'free'
  #window: Timer | null = null
  /** The last reset: a new session begins after it. It never rejects. */
  #resetting: Promise<void> = Promise.resolve()

  /**
   * @param keepMs - how long the threads wait for another session, in milliseconds
   * @param onError - is told what went wrong when nobody waited for it
   */
  constructor(backend: Backend, keepMs: number, onError: (error: Error) => void) {
    this.#backend = backend
    this.#keepMs = keepMs
    this.#onError = onError
  }

  /** SET_OWNER. @throws Refusal: the device has an owner, or its threads cannot be made (VH-1, VH-2) */
  async take(): Promise<void> {
    this.#window?.cancel()
    await this.#resetting
    if (this.#state === 'free') await this.#setOwner()
    this.#state = 'held'
  }

  /** RESET_OWNER, and the end: the threads are gone afterwards (VH-5). */
  async reset(): Promise<void> {
    this.#window?.cancel()
    if (this.#state === 'free') return await this.#resetting
    this.#state = 'free'
    const reset = this.#backend.resetOwner()
    this.#resetting = reset.catch(() => {})
    await reset
  }

  /** The session that held it is over. */
  async leave(): Promise<void> {
    if (this.#state !== 'held') return
    if (this.#keepMs === 0) return this.reset()
    this.#state = 'kept'
    this.#window = deadline(this.#keepMs, () => {
      void this.reset().catch(this.#onError)
    })
  }

  async #setOwner(): Promise<void> {
    try {
      await this.#backend.setOwner()
    } catch (error) {
      throw new Refusal(`The device cannot be owned now: ${(error as Error).message}`)
    }
  }
}
