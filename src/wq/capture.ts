/**
 * Arguments as they are at the moment of submission: changing them later is harmless.
 *
 * Primitive values cannot change, and need nothing. What has a form in bytes is packed; anything
 * else, and whatever is to be moved, is copied and goes by message.
 *
 * @module
 */
import { notCarried, type Carried } from '../carry/index.js'
import type { UserWorkerError } from '../errors.js'
import { mostBlockBytes, pack } from '../ring/index.js'
import { notCloneable } from './ends.js'
import { isSendableKey } from './lane.js'
import type { SharedBuffers } from './numbered-buffers.js'
import { Captured, type Message, type QueuedWork } from './work.js'

/**
 * Captures a work's arguments.
 *
 * @throws DataCloneError, or whatever reading them throws
 */
export function capture(
  work: QueuedWork,
  values: readonly unknown[],
  transfer: Message['transfer'],
  shared: SharedBuffers,
): void {
  if (transfer.length === 0) {
    shared.asked = []
    try {
      const packed = pack(values, mostBlockBytes, shared)
      if (packed !== null) {
        work.captured = new Captured(packed, null, shared.asked)
        return
      }
    } finally {
      shared.asked = null
    }
  }
  work.captured = new Captured(null, copyOf(values, transfer), null)
}

/**
 * All that goes with a work: its arguments, then what is carried and how many values that is, then
 * its key. `serving.ts` takes it apart.
 */
export function valuesOf(
  args: readonly unknown[],
  key: unknown,
  carried: Carried | null,
): readonly unknown[] {
  const count = carried === null ? 0 : carried.values.length
  const isKeyed = key !== undefined && isSendableKey(key)
  if (carried === null || count === 0) return isKeyed ? [...args, key] : args
  return isKeyed ? [...args, ...carried.values, count, key] : [...args, ...carried.values, count]
}

/** The error for a work that was not captured: what it carries, or an argument, cannot be cloned. */
export function notSent(work: QueuedWork, cause: unknown): UserWorkerError {
  return notCarried(work.carried?.values ?? [], cause) ?? notCloneable(work, cause)
}

/** Whether nothing in the list can be changed by anybody. */
export function arePrimitive(values: readonly unknown[]): boolean {
  for (const value of values) {
    const type = typeof value
    if (type === 'function' || type === 'symbol') return false
    if (type === 'object' && value !== null) return false
  }
  return true
}

/** A copy of the arguments as they are now. What was to be moved is moved, to here. */
function copyOf(args: readonly unknown[], transfer: Message['transfer']): Message {
  const own = { args: [...args], transfer: [...transfer] }
  return structuredClone(own, { transfer: own.transfer })
}
