/**
 * Arguments as they are at the moment of submission: changing them later is harmless.
 *
 * Primitive values cannot change, and need nothing. What has a form in bytes is packed; anything
 * else, and whatever is to be moved, is copied and goes by message.
 *
 * @module
 */
import { mostBlockBytes, pack } from '../ring/index.js'
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
