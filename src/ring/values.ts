/**
 * Values as bytes of shared memory: the arguments of a work, or its result as a list of one.
 * What is read equals exactly what `postMessage` of the same list gives on this Node.
 *
 * A list takes one of two forms. Quick: each value by itself, as a number, text, JSON text, or bytes.
 * Structured: the whole list as V8 serializes it, for what JSON does not carry, and for an object that
 * is in the list more than once. What has neither goes by message.
 *
 * @module
 */
import { bigintText, isProxy, stringify } from './builtins.js'
import { ByteArray, byteArrayOf } from './byte-arrays.js'
import {
  aligned,
  assertWithin,
  beginReading,
  isSmall,
  JsonText,
  mostArrayHead,
  mostHead,
  readCount,
  readPart,
  writeCount,
  writePart,
} from './parts.js'
import {
  arePrototypesClean,
  begin,
  end,
  exact,
  look,
  meet,
  refused,
  unlike,
  type Verdict,
} from './plain.js'
import { deserialize, serialize, type Structured } from './structured.js'
import { isWide } from './text.js'

/** Shared buffers by number, for who writes: the number stays announced to the reader. */
export interface SharedBuffers {
  numberOf(buffer: SharedArrayBuffer): number
}

/** Shared buffers by number, for who reads. */
export interface SharedBuffersByNumber {
  bufferOf(number: number): SharedArrayBuffer
}

/** Values that wait to be written. */
export interface Packed {
  /** How many bytes they take at most. */
  readonly byteLength: number
}

/** Each value by itself: scalars and text as they are, objects as the text or the bytes they become. */
class Quick implements Packed {
  readonly byteLength: number
  readonly parts: readonly unknown[]
  /** True if some text takes two bytes a character; then all of the list does. */
  readonly wide: boolean

  constructor(byteLength: number, parts: readonly unknown[], wide: boolean) {
    this.byteLength = byteLength
    this.parts = parts
    this.wide = wide
  }
}

/** The whole list in V8's form. */
class Whole implements Packed {
  readonly byteLength: number
  readonly structured: Structured

  constructor(structured: Structured) {
    const { bytes, numbers } = structured
    this.byteLength = aligned(wholeHead + numbers.length * 4) + bytes.length
    this.structured = structured
  }
}

// The first byte is the form, and the second of a quick list the number of its values.
const [narrowForm, wideForm, wholeForm] = [0, 1, 2]
const quickHead = 2
const mostQuick = 255
/** The form, then at 4 the length of V8's bytes, at 8 the count of numbers, then these. */
const wholeHead = 12

/**
 * Finds the form in which the list can cross; null if it has none, or takes more than so many bytes:
 * then it must go by message. The list itself must be an array without anything special.
 */
export function pack(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  const { length } = values
  if (length > mostQuick) return packWhole(values, mostBytes, shared)
  let [fixed, characters, wide] = [quickHead, 0, false]
  for (let index = 0; index < length; index++) {
    const value = values[index]
    switch (typeof value) {
      case 'number':
        fixed += isSmall(value) ? 5 : 9
        break
      case 'string':
        fixed += mostHead
        characters += value.length
        if (!wide) wide = characters <= mostBytes && isWide(value)
        break
      case 'boolean':
        fixed += 1
        break
      case 'undefined':
        if (!(index in values)) return packWhole(values, mostBytes, shared)
        fixed += 1
        break
      case 'object':
        if (value !== null) return packObjects(values, mostBytes, shared)
        fixed += 1
        break
      case 'bigint':
        return packObjects(values, mostBytes, shared)
      case 'function':
      case 'symbol':
        return null
    }
  }
  const byteLength = fixed + (wide ? characters * 2 : characters)
  return byteLength > mostBytes ? null : new Quick(byteLength, values, wide)
}

/** Copies what its owner could still change, for whoever writes later. */
export function keep(packed: Packed): Packed {
  if (!(packed instanceof Quick)) return packed
  const parts = packed.parts.map((part) => (part instanceof ByteArray ? part.copy() : part))
  return new Quick(packed.byteLength, parts, packed.wide)
}

/** Writes at most `packed.byteLength` bytes from `at`, a multiple of eight. */
export function write(packed: Packed, bytes: Uint8Array, at: number): void {
  if (!(packed instanceof Quick)) {
    writeWhole((packed as Whole).structured, bytes, at)
    return
  }
  const { parts, wide } = packed
  const { length } = parts
  bytes[at] = wide ? wideForm : narrowForm
  bytes[at + 1] = length
  let to = at + quickHead
  for (let index = 0; index < length; index++) to = writePart(parts[index], bytes, to, wide)
}

/** Reads a list that `write` wrote. */
export function read(
  bytes: Uint8Array,
  at: number,
  byteLength: number,
  shared: SharedBuffersByNumber,
): unknown[] {
  const form = bytes[at]
  if (form === wholeForm) return readWhole(bytes, at, shared)
  const wide = form === wideForm
  const count = bytes[at + 1] as number
  const values: unknown[] = []
  beginReading(at + quickHead)
  for (let index = 0; index < count; index++) values.push(readPart(bytes, wide))
  assertWithin(at + byteLength)
  return values
}

/** The objects of a list as their texts and bytes, where that is exact. */
function packObjects(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  const parts: unknown[] = []
  if (!arePrototypesClean() || isProxy(values)) return null
  begin(mostBytes)
  let verdict: Verdict = exact
  for (let index = 0; index < values.length && verdict === exact; index++) {
    const value = values[index]
    if (typeof value !== 'object' || value === null) {
      if (value === undefined && !(index in values)) verdict = unlike
      parts.push(value)
      continue
    }
    const array = byteArrayOf(value)
    if (array === null) {
      verdict = look(value, 1)
      parts.push(value)
    } else if (array.bytes.length > mostBytes) verdict = refused
    else if (meet(array.buffer)) verdict = unlike
    else parts.push(array)
  }
  end()
  if (verdict === refused) return null
  return verdict === exact ? quickOf(parts, mostBytes) : packWhole(values, mostBytes, shared)
}

/** A quick list of what was found exact; its objects become text here. */
function quickOf(parts: unknown[], mostBytes: number): Packed | null {
  let [fixed, characters, wide] = [quickHead, 0, false]
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    if (typeof part === 'function' || typeof part === 'symbol') return null
    let text: string | null = null
    if (typeof part === 'string') text = part
    else if (typeof part === 'bigint') text = bigintText(part, 16)
    else if (part instanceof ByteArray) fixed += mostArrayHead + part.bytes.length
    else if (typeof part === 'object' && part !== null) {
      text = stringify(part)
      parts[index] = new JsonText(text)
    }
    fixed += mostHead
    if (text === null) continue
    characters += text.length
    wide ||= isWide(text)
  }
  const byteLength = fixed + (wide ? characters * 2 : characters)
  return byteLength > mostBytes ? null : new Quick(byteLength, parts, wide)
}

function packWhole(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  const structured = serialize(values, mostBytes, (buffer) => shared.numberOf(buffer))
  if (structured === null) return null
  const packed = new Whole(structured)
  return packed.byteLength > mostBytes ? null : packed
}

function writeWhole({ bytes, numbers }: Structured, shared: Uint8Array, at: number): void {
  shared[at] = wholeForm
  writeCount(shared, at + 4, bytes.length)
  writeCount(shared, at + 8, numbers.length)
  let to = at + wholeHead
  for (const number of numbers) {
    writeCount(shared, to, number)
    to += 4
  }
  shared.set(bytes, aligned(to))
}

function readWhole(bytes: Uint8Array, at: number, shared: SharedBuffersByNumber): unknown[] {
  const [length, count] = [readCount(bytes, at + 4), readCount(bytes, at + 8)]
  const buffers: SharedArrayBuffer[] = []
  let from = at + wholeHead
  for (let index = 0; index < count; index++, from += 4)
    buffers.push(shared.bufferOf(readCount(bytes, from)))
  from = aligned(from)
  return deserialize(bytes.subarray(from, from + length), buffers)
}
