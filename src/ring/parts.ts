/**
 * The values of a quick list, one by one: a byte that says what it is, then its bytes.
 *
 * @module
 */
import { bigintText, parse } from './builtins.js'
import { type ByteArray, readBytes, writeBytes } from './byte-arrays.js'
import { readText, writeText } from './text.js'

/** JSON text that waits to be written. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const isUndefined = 0
const isNull = 1
const isTrue = 2
const isFalse = 3
/** Four bytes. */
const isInteger = 4
/** Eight bytes. */
const isDouble = 5
/** The length in four bytes, then the text, from an even place if wide. So the next two. */
const isString = 6
const isBigint = 7
const isJson = 8
/** The kind in one byte, the length in four, then from a multiple of eight the bytes. */
const isBytes = 9

/** What stands before a text at most, and no scalar takes more. */
export const mostHead = 9
/** What stands before the bytes of an array at most. */
export const mostArrayHead = 13

const double = new Float64Array(1)
const doubleBytes = new Uint8Array(double.buffer)

/** Writes one value of a quick list and gives the place behind it. */
export function writePart(part: unknown, bytes: Uint8Array, at: number, wide: boolean): number {
  if (typeof part === 'number') return writeNumber(part, bytes, at)
  if (typeof part === 'string') return writeTagged(isString, part, bytes, at, wide)
  if (typeof part === 'bigint') return writeTagged(isBigint, bigintText(part, 16), bytes, at, wide)
  if (part instanceof JsonText) return writeTagged(isJson, part.text, bytes, at, wide)
  if (typeof part === 'object' && part !== null) return writeArray(part as ByteArray, bytes, at)
  if (typeof part === 'boolean') bytes[at] = part ? isTrue : isFalse
  else bytes[at] = part === null ? isNull : isUndefined
  return at + 1
}

function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  if (isSmall(value)) {
    bytes[at] = isInteger
    writeCount(bytes, at + 1, value)
    return at + 5
  }
  bytes[at] = isDouble
  double[0] = value
  for (let index = 0; index < 8; index++) bytes[at + 1 + index] = doubleBytes[index] as number
  return at + 9
}

function writeTagged(
  tag: number,
  text: string,
  bytes: Uint8Array,
  at: number,
  wide: boolean,
): number {
  bytes[at] = tag
  writeCount(bytes, at + 1, text.length)
  // Two-byte characters stand at even places: V8 copies them twice elsewhere.
  const to = at + 5
  return writeText(bytes, wide ? to + (to & 1) : to, text, wide)
}

function writeArray(array: ByteArray, bytes: Uint8Array, at: number): number {
  bytes[at] = isBytes
  bytes[at + 1] = array.kind
  writeCount(bytes, at + 2, array.bytes.length)
  return writeBytes(bytes, aligned(at + 6), array)
}

/** Where reading stands; one list is read at a time. */
let place = 0

/** Begins to read a list. */
export function beginReading(at: number): void {
  place = at
}

/** Asserts that the list that was read ends before that place. */
export function assertWithin(end: number): void {
  if (place > end) throw new RangeError('values were read beyond their end')
}

/** Reads the next value. */
export function readPart(bytes: Uint8Array, wide: boolean): unknown {
  const tag = bytes[place++] as number
  switch (tag) {
    case isNull:
      return null
    case isTrue:
      return true
    case isFalse:
      return false
    case isInteger:
      place += 4
      return readCount(bytes, place - 4) | 0
    case isDouble:
      for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[place + index] as number
      place += 8
      return double[0]
    case isString:
      return readTagged(bytes, wide)
    case isJson:
      return parse(readTagged(bytes, wide)) as unknown
    case isBigint:
      return bigintOf(readTagged(bytes, wide))
    case isBytes:
      return readArray(bytes)
    default:
      return undefined
  }
}

function readTagged(bytes: Uint8Array, wide: boolean): string {
  const length = readCount(bytes, place)
  const from = place + 4
  const start = wide ? from + (from & 1) : from
  place = start + (wide ? length * 2 : length)
  return readText(bytes, start, length, wide)
}

function readArray(bytes: Uint8Array): unknown {
  const kind = bytes[place] as number
  const length = readCount(bytes, place + 1)
  const from = aligned(place + 5)
  place = from + length
  return readBytes(bytes, from, length, kind)
}

function bigintOf(text: string): bigint {
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

/** True for what four bytes hold; zero with a sign is not one of them. */
export function isSmall(value: number): boolean {
  return (value | 0) === value && (value !== 0 || 1 / value > 0)
}

export function writeCount(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
  bytes[at + 2] = value >> 16
  bytes[at + 3] = value >> 24
}

export function readCount(bytes: Uint8Array, at: number): number {
  const [low, high] = [at, at + 2]
  return (
    ((bytes[low] as number) |
      ((bytes[low + 1] as number) << 8) |
      ((bytes[high] as number) << 16) |
      ((bytes[high + 1] as number) << 24)) >>>
    0
  )
}

/** The next multiple of eight. */
export function aligned(at: number): number {
  return (at + 7) & ~7
}
