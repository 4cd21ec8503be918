/**
 * Messages that the other side may be unable to read: with a value of the user's that is nested too deep
 * for its stack. Nothing of such a message arrives but that there was one.
 *
 * Arguments and results of works are known by their order. Any other message with a value that may be deep
 * goes behind one that says whose it is: so that who waits for it is told, and it is taken for nothing else.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import type { MessagePort, TransferListItem } from '../os/thread.js'
import type { ToQueue, ToServer, Whose } from './protocol.js'

/** Posts a message, behind its announcement where it needs one. @throws DataCloneError */
export function postAnnounced(
  port: MessagePort,
  message: ToQueue | ToServer,
  transfer: readonly TransferListItem[],
): void {
  const whose = whoseIs(message)
  if (whose === null) return port.postMessage(message, transfer)
  announce(port, whose)
  try {
    port.postMessage(message, transfer)
  } catch (error) {
    // Nothing went: what comes next is somebody else's.
    announce(port, null)
    throw error
  }
}

function announce(port: MessagePort, whose: Whose | null): void {
  port.postMessage({ type: 'next', whose } satisfies ToQueue & ToServer)
}

function whoseIs(message: ToQueue | ToServer): Whose | null {
  const { type } = message
  if (type === 'progress' || type === 'item')
    return isShort(message.value) ? null : { type, id: message.id }
  if (type === 'broadcast-done') return isShort(message.value) ? null : { type, call: message.call }
  if (type === 'broadcast') return { type, call: message.call }
  return type === 'context' && message.items !== null ? { type } : null
}

/**
 * Whether a value has so few properties that it cannot be nested deep. A short look costs less than
 * a message more; what it does not know at once is announced. No getter is called.
 */
function isShort(value: unknown, room = { left: 32 }): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false
  if (Array.isArray(value) && value.length > room.left) return false
  const keys = Object.keys(value)
  room.left -= keys.length
  if (room.left < 0) return false
  return keys.every((key) => {
    const property = Object.getOwnPropertyDescriptor(value, key)
    return property !== undefined && 'value' in property && isShort(property.value, room)
  })
}

/** What the other side has announced. */
export class Announced {
  #whose: Whose | null = null

  /** To be called for each message, before it is heard. */
  heard(message: ToQueue | ToServer): void {
    this.#whose = message.type === 'next' ? message.whose : null
  }

  /** Whose value it was that cannot be read; null: arguments, or the result of a work. */
  unreadable(): Whose | null {
    const whose = this.#whose
    this.#whose = null
    return whose
  }
}

/** The error for a value from another thread that this one cannot read. */
export function notReadable(what: string, cause?: unknown): UserWorkerError {
  const text = `${what} cannot be read by this thread: it is nested too deep for its stack`
  return new UserWorkerError('ERR_NOT_CLONEABLE', text, cause === undefined ? {} : { cause })
}
