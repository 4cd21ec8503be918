/**
 * Making a server's thread, again and again where the system refuses it for the moment (WQ-61).
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { after } from '../os/clock.js'

/** Waits between attempts to make a thread that the system refused, in milliseconds. */
const retryAfterMs = [5, 10, 15]

/** @returns null, or why it could not be made, after as many attempts as that deserves */
export async function bornWithin(start: () => Promise<void>): Promise<Error | null> {
  for (let attempt = 0; ; attempt++) {
    try {
      await start()
      return null
    } catch (error) {
      const delay = isTransient(error) ? retryAfterMs[attempt] : undefined
      if (delay === undefined) return error as Error
      await new Promise<void>((resolve) => {
        after(delay, resolve)
      })
    }
  }
}

/** An owner's limit is waited for in another way: see `growth.ts`. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof UserWorkerError)) return false
  return error.code === 'EAGAIN' && error.owner === undefined
}
