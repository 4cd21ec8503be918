/**
 * How long to wait for a thread that may be frozen meanwhile.
 *
 * @module
 */
import { deadline, type Timer } from '../os/clock.js'

/** So often it is looked whether the thread is to stand. */
const lookEveryMs = 100

/**
 * Like `deadline`, and time in which the thread is to stand does not count. It is looked for, since
 * nobody tells of a freeze from another thread.
 */
export function thawedDeadline(ms: number, isFrozen: () => boolean, run: () => void): Timer {
  let leftMs = ms
  const wait = (): Timer => {
    const partMs = Math.max(1, Math.min(leftMs, lookEveryMs))
    const wasFrozen = isFrozen()
    return deadline(partMs, () => {
      if (!wasFrozen && !isFrozen()) leftMs -= partMs
      if (leftMs <= 0) run()
      else timer = wait()
    })
  }
  let timer = wait()
  return { cancel: () => timer.cancel() }
}
