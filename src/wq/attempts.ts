/**
 * Attempts to make threads where the system refuses them: three more, a moment later each (WQ-61).
 *
 * Many may be refused at the same time. One of them tries again for all; the others wait for what
 * comes of it, so that a limit is not met with hundreds of attempts.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { after } from '../os/clock.js'

/** Waits before the further attempts, in milliseconds (WQ-61). */
const retryAfterMs = [5, 10, 15]

export class Attempts {
  /** What comes of the one that tries again; null while none does. */
  #retrying: Promise<Error | null> | null = null

  /** @returns null, or why it could not be made, after as many attempts as that deserves */
  async make(attempt: () => Promise<void>): Promise<Error | null> {
    for (;;) {
      const error = await outcomeOf(attempt)
      if (!isTransient(error)) return error
      const isFirst = this.#retrying === null
      this.#retrying ??= this.#retry(attempt)
      const outcome = await this.#retrying
      if (isFirst || outcome !== null) return outcome
    }
  }

  async #retry(attempt: () => Promise<void>): Promise<Error | null> {
    let error: Error | null = null
    for (const delay of retryAfterMs) {
      await new Promise<void>((resolve) => {
        after(delay, resolve)
      })
      error = await outcomeOf(attempt)
      if (!isTransient(error)) break
    }
    this.#retrying = null
    return error
  }
}

async function outcomeOf(attempt: () => Promise<void>): Promise<Error | null> {
  try {
    await attempt()
    return null
  } catch (error) {
    return error as Error
  }
}

/** Whether the system may have a moment later what it lacks now: threads, descriptors, memory. */
function isTransient(error: Error | null): boolean {
  if (!(error instanceof UserWorkerError)) return false
  const { code, cause } = error
  // An owner's limit is waited for in another way: see `growth.ts`.
  if (error.owner !== undefined) return false
  if (code === 'EAGAIN' || code === 'EMFILE') return true
  const { code: why } = (cause ?? {}) as { code?: unknown }
  return code === 'ERR_WORKER_INIT' && why === 'ERR_WORKER_INIT_FAILED'
}
