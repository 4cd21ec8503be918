/**
 * Values as bytes, and which values have none: what two processes cannot share is refused, and not
 * silently lost.
 *
 * @module
 */
import { UserWorkerError } from '../../errors.js'
import { builtin } from '../../os/builtin.js'
import { notSent } from '../not-sent.js'

const { types } = builtin('node:util')

/** A value that was cloned, or is a message of ours. */
export function encode(value: unknown): Buffer {
  const serializer = new (builtin('node:v8').Serializer)()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/**
 * A value of the user's.
 *
 * @param what - what the value is, for the error
 * @throws UserWorkerError ERR_NOT_CLONEABLE
 */
export function unpack(bytes: Uint8Array, what: string): unknown {
  try {
    return decode(bytes)
  } catch (cause) {
    const text = `${what} cannot be read: it is nested too deep for the stack`
    throw new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
  }
}

/** @throws RangeError: it is nested too deep for this thread's stack */
export function decode(bytes: Uint8Array): unknown {
  const deserializer = new (builtin('node:v8').Deserializer)(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

/**
 * A handler's value as bytes.
 *
 * @param what - what the value is, for the error
 * @throws UserWorkerError ERR_NOT_CLONEABLE, ENOTSUP
 */
export function carry(value: unknown, what: string): Uint8Array {
  let copy: unknown
  try {
    // As `postMessage` takes it: what cannot be cloned is found, and a `Buffer` arrives as plain bytes.
    copy = typeof value === 'object' || isUncloneable(value) ? structuredClone(value) : value
    const shared = whatIsShared(copy)
    if (shared !== null) throw notCarried(what, shared)
    return encode(copy)
  } catch (cause) {
    if (cause instanceof UserWorkerError) throw cause
    throw notSent(what, value, cause)
  }
}

function isUncloneable(value: unknown): boolean {
  return typeof value === 'function' || typeof value === 'symbol'
}

/** The error for a value that two processes cannot share. */
export function notCarried(where: string, what: string): UserWorkerError {
  const text =
    `${where} holds ${what}, which a queue with isolation: 'process' cannot carry: ` +
    'pass a copy of its contents, or use threads'
  return new UserWorkerError('ENOTSUP', text)
}

/**
 * What a clone holds that belongs to one process, in words; null: nothing.
 *
 * @param clone - what `structuredClone` gave: in it everything but Node's own objects, such as ports
 * and keys, is of a class of the language's
 */
export function whatIsShared(clone: unknown): string | null {
  const seen = new Set<unknown>()
  const left: unknown[] = [clone]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    const found = strange(value)
    if (found !== null) return found
    pushParts(value, left)
  }
  return null
}

function strange(value: object): string | null {
  const buffer: unknown = ArrayBuffer.isView(value) ? value.buffer : value
  if (types.isSharedArrayBuffer(buffer)) return 'a SharedArrayBuffer'
  if (Array.isArray(value) || isOfLanguage(value)) return null
  const prototype: unknown = Object.getPrototypeOf(value)
  // Of whichever realm: a plain object's prototype is the last of its chain.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return null
  return `an object of Node's own (${(value as { constructor: { name: string } }).constructor.name})`
}

function isOfLanguage(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isArrayBuffer(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value) ||
    types.isNativeError(value)
  )
}

function pushParts(value: object, to: unknown[]): void {
  if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return
  if (types.isMap(value)) for (const [key, each] of value) to.push(key, each)
  else if (types.isSet(value)) for (const each of value) to.push(each)
  else if (types.isNativeError(value)) to.push(value.cause)
  else for (const each of Object.values(value)) if (typeof each === 'object') to.push(each)
}
