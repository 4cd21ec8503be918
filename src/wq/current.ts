/**
 * The light door for handlers, `userworker/current`: what a handler may ask about the work it runs.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import type { TransferListItem } from '../os/thread.js'
import { running, transfers, type CurrentWork } from './running.js'

export { carry, type AsyncStore, type Carrier, type StoreOptions } from '../carry/index.js'
export type { CurrentWork } from './running.js'

/**
 * The work that the calling handler runs, also behind its awaits and timers.
 *
 * @throws UserWorkerError ERR_NO_WORK when called outside a handler
 */
export function current(): CurrentWork {
  const work = running.getStore()
  if (work === undefined) {
    throw new UserWorkerError(
      'ERR_NO_WORK',
      'current() was called outside a handler of a WorkQueue',
    )
  }
  return work
}

/**
 * Marks objects inside a handler's result to be moved to the caller instead of cloned: `return
 * transfer(image, [image.buffer])`.
 *
 * @returns the value itself
 */
export function transfer<T>(value: T, list: readonly TransferListItem[]): T {
  if (typeof value === 'object' && value !== null) transfers.set(value, list)
  return value
}
