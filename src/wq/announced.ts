/**
 * Messages that the other side may be unable to read: with a value of the user's that is nested too deep
 * for its stack. Nothing of such a message arrives but that there was one.
 *
 * Arguments and results of works are known by their order. Any other message with a value goes behind one
 * that says whose the value is: so that who waits for it is told, and it is taken for nothing else.
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
    return isNested(message.value) ? { type, id: message.id } : null
  if (type === 'broadcast-done')
    return isNested(message.value) ? { type, call: message.call } : null
  if (type === 'broadcast') return { type, call: message.call }
  return type === 'context' && message.items !== null ? { type } : null
}

const isNested = (value: unknown): boolean => typeof value === 'object' && value !== null

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
