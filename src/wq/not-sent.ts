/**
 * The error for a handler's value that cannot be sent.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'

/** @param what - what the value is */
export function notSent(what: string, value: unknown, cause: unknown): UserWorkerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const isIterator =
    typeof value === 'object' &&
    value !== null &&
    ('next' in value || Symbol.asyncIterator in value)
  const hint = isIterator ? '. Take the items of a generator with queue.stream()' : ''
  const text = `${what} cannot be sent back: ${why}${hint}`
  return new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
}
