/**
 * The wait for one descriptor in the event loop, as a promise that can be called off.
 *
 * @module
 */
import { watch } from './events.js'

/** A wait. It keeps the event loop alive. */
export interface ReadableWait {
  /** Resolves when the descriptor is readable, or broken, or the wait was called off. */
  readonly promise: Promise<void>
  /** Ends the wait. Before the descriptor is closed, it must have ended. */
  end(): void
}

/**
 * Waits until a descriptor is readable.
 *
 * @throws the system's error, as EMFILE where no descriptor is left: nothing waits then
 */
export function readable(fd: number): ReadableWait {
  let isOver = false
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  const end = (): void => {
    if (isOver) return
    isOver = true
    watched.close()
    resolve()
  }
  const watched = watch(fd, end)
  return { promise, end }
}
