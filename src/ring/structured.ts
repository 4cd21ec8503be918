/**
 * V8's own serialization, for what JSON does not carry: maps, dates, cycles, errors, shared buffers.
 * It is the code that `postMessage` runs, without what Node adds to it there: objects of Node's own
 * that can be cloned or transferred. So a walk refuses everything that could be one of them.
 *
 * @module
 */
import type { Serializer } from 'node:v8'
import { builtin } from '../os/builtin.js'
import {
  addToSet,
  bufferLength,
  dataViewBuffer,
  eachOfMap,
  eachOfSet,
  getPrototypeOf,
  hasOwn,
  isAnyArrayBuffer,
  isArray,
  isArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isInSet,
  isMap,
  isNativeError,
  isProxy,
  isRegExp,
  isSet,
  isView,
  keysOf,
  lookupGetter,
  ObjectPrototype,
  sizeOfMap,
  sizeOfSet,
  stackGetter,
  typedArrayBuffer,
  typedArrayName,
} from './builtins.js'
import { mostDepth } from './exotic.js'

/** V8's bytes, and the shared buffers in them: each by its number. */
export interface Structured {
  readonly bytes: Uint8Array
  readonly numbers: readonly number[]
}

interface Numbers {
  numberOf(buffer: SharedArrayBuffer): number
}

/** The list as V8 writes it; null for what must go by message, or is longer than so many bytes. */
export function serialize(
  values: readonly unknown[],
  mostBytes: number,
  shared: Numbers,
): Structured | null {
  if (!isSafe(values, mostBytes)) return null
  try {
    const serializer = new (listSerializer())(shared)
    serializer.writeHeader()
    serializer.writeValue(values)
    const bytes = serializer.releaseBuffer()
    const { numbers } = serializer
    if (bytes.length > mostBytes || !markShared(bytes, numbers.length)) return null
    return { bytes, numbers }
  } catch {
    // Something cannot be cloned: `postMessage` will say what. No getter was called, so nothing is lost.
    return null
  }
}

/** Reads what `serialize` wrote. */
export function deserialize(bytes: Uint8Array, buffers: readonly SharedArrayBuffer[]): unknown[] {
  const deserializer = new (builtin('node:v8').Deserializer)(bytes)
  for (let index = 0; index < buffers.length; index++) {
    const buffer = buffers[index] as unknown as ArrayBuffer
    deserializer.transferArrayBuffer(firstShared + index, buffer)
  }
  deserializer.readHeader()
  return deserializer.readValue() as unknown[]
}

/**
 * Identities from here on take exactly five bytes, as V8 writes numbers: so that they are unlikely to
 * occur anywhere else.
 */
const firstShared = 0x15_ac_37_10
const [sharedTag, transferredTag] = [0x75, 0x74] // 'u', 't'

interface ListSerializer extends Serializer {
  readonly numbers: number[]
}

type ListSerializerClass = new (shared: Numbers) => ListSerializer

let made: ListSerializerClass | null = null

/** Made when it is needed: `node:v8` takes 2 ms to load, and most threads do without. */
function listSerializer(): ListSerializerClass {
  made ??= makeListSerializer()
  return made
}

function makeListSerializer(): ListSerializerClass {
  return class extends builtin('node:v8').Serializer {
    readonly numbers: number[] = []
    readonly #shared: Numbers

    constructor(shared: Numbers) {
      super()
      this.#shared = shared
    }

    /** Called by V8 once for each shared buffer. */
    _getSharedArrayBufferId(buffer: SharedArrayBuffer): number {
      return firstShared + this.numbers.push(this.#shared.numberOf(buffer)) - 1
    }

    /** Called by V8 for objects of Node's own. */
    _writeHostObject(): never {
      throw new TypeError('an object of Node goes by message')
    }
  }
}

/**
 * Node's `Deserializer` takes shared buffers by `transferArrayBuffer`, as its documentation says, but
 * V8 looks there for transferred ones alone. So a shared buffer is marked as a transferred one. Where
 * its mark stands is certain if it occurs once; false if it occurs more often, by an accident.
 */
function markShared(bytes: Buffer, count: number): boolean {
  const mark = new Uint8Array(6)
  mark[0] = sharedTag
  for (let index = 0; index < count; index++) {
    let rest = firstShared + index
    for (let at = 1; at < 6; at++, rest >>>= 7) mark[at] = (rest & 0x7f) | (at < 5 ? 0x80 : 0)
    const found = bytes.indexOf(mark)
    if (found < 0 || bytes.indexOf(mark, found + 1) >= 0) return false
    bytes[found] = transferredTag
  }
  return true
}

// The state of one walk: no code of the program runs during it, so there is one at a time.
let met = new Set<object>()
let room = 0
let safe = true

/**
 * True if nothing in the values is, or could be, an object of Node's own, a getter or a proxy, and if
 * they may fit so many bytes.
 */
function isSafe(values: readonly unknown[], mostBytes: number): boolean {
  met = new Set()
  room = mostBytes
  safe = true
  walk(values, 0)
  met = new Set()
  return safe
}

function walk(value: unknown, depth: number): void {
  if (typeof value === 'object') {
    if (value !== null && !isInSet(met, value)) walkObject(value, depth)
  } else if (typeof value === 'string') room -= value.length
  else if (typeof value === 'function' || typeof value === 'symbol') safe = false
  if (room < 0) safe = false
}

function walkObject(value: object, depth: number): void {
  if (isProxy(value) || depth > mostDepth) safe = false
  if (!safe) return
  addToSet(met, value)
  if (isArray(value)) walkProperties(value, depth)
  else if (isView(value)) walk(bufferOf(value), depth + 1)
  else if (isAnyArrayBuffer(value)) {
    if (isArrayBuffer(value)) room -= bufferLength(value)
  } else if (isMap(value)) {
    room -= sizeOfMap(value) * 2
    if (room < 0) safe = false
    else
      eachOfMap(value, (item, key) => {
        walk(key, depth + 1)
        walk(item, depth + 1)
      })
  } else if (isSet(value)) {
    room -= sizeOfSet(value)
    if (room < 0) safe = false
    else eachOfSet(value, (item) => walk(item, depth + 1))
  } else if (isNativeError(value)) walkError(value, depth)
  else if (!isDate(value) && !isRegExp(value) && !isBoxedPrimitive(value)) {
    const prototype: unknown = getPrototypeOf(value)
    // Instances of other classes could be marked by Node as its own, which cannot be seen from here.
    if (prototype !== ObjectPrototype && prototype !== null) safe = false
    else walkProperties(value, depth)
  }
}

function walkProperties(value: object, depth: number): void {
  const keys = keysOf(value)
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    if (lookupGetter(value, key) !== undefined) safe = false
    if (!safe) return
    room -= key.length
    walk((value as Record<string, unknown>)[key], depth + 1)
  }
}

function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return typedArrayName(view) === undefined ? dataViewBuffer(view) : typedArrayBuffer(view)
}

const errorPrototypes: ReadonlySet<unknown> = new Set(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (constructor): unknown => constructor.prototype,
  ),
)
/** V8 reads of an error its name, message, cause and stack, converting the first two to strings. */
function walkError(error: object, depth: number): void {
  if (!isInSet(errorPrototypes, getPrototypeOf(error)) || !isTextAt(error, 'name')) safe = false
  else if (hasOwn(error, 'message') && !isTextAt(error, 'message')) safe = false
  else if ((lookupGetter(error, 'stack') ?? null) !== stackGetter) safe = false
  if (!safe) return
  walkOwn(error, 'cause', depth)
  walkOwn(error, 'errors', depth)
}

function walkOwn(error: object, key: string, depth: number): void {
  if (!hasOwn(error, key)) return
  if (lookupGetter(error, key) !== undefined) safe = false
  else walk((error as Record<string, unknown>)[key], depth + 1)
}

function isTextAt(value: object, key: string): boolean {
  if (lookupGetter(value, key) !== undefined) return false
  const text = (value as Record<string, unknown>)[key]
  return typeof text === 'string'
}
