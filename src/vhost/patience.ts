/**
 * Waiting for what a device's author has in hand, and saying so when it takes long: whoever looks for what
 * holds up the end of a connection is to find it.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { after } from '../os/clock.js'

/** Nothing that goes well takes so long. */
const patienceMs = 5000

/**
 * Waits for a promise, as long as it takes.
 *
 * @param what - a sentence for people: what is waited for
 * @param tell - is told of it once, when it takes longer than 5 s
 */
export async function patiently<T>(
  what: string,
  promise: Promise<T>,
  tell: (problem: UserWorkerError) => void,
): Promise<T> {
  const late = after(patienceMs, () => tell(new UserWorkerError('ETIME', what)))
  try {
    return await promise
  } finally {
    late.cancel()
  }
}

/** Waits for a promise, and rejects with `late()` when it takes longer. It goes on, and nobody hears of it. */
export function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = after(ms, () => reject(late()))
    promise.then(resolve, reject).finally(() => limit.cancel())
  })
}
