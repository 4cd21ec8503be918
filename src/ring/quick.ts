/**
 * Lists of scalars and text, value by value: a byte that says what it is, then its bytes. Nothing is
 * made before they are written, and nothing is looked up to read them.
 *
 * @module
 */
import { bigintText } from './builtins.js'
import { countAt, doubleAt, integerAt, putCount, putDouble } from './numbers.js'
import { bigintOf, isWide, readText, writeText } from './text.js'

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
const isWideString = 7
const isBigint = 8

/** What stands before a text at most. */
const mostHead = 6

/** The list is none of scalars and text. */
export const notQuick = -1
/** It cannot be cloned. */
export const notCloneable = -2

/** A list is quick if it is no longer: a bit for each value says whether its text is wide. */
export const mostQuick = 31
/** The bits of the list that was measured last. */
export let wideBits = 0

/** How many bytes the values take at most; or one of the two above. */
export function sizeOfQuick(values: readonly unknown[], mostBytes: number): number {
  const { length } = values
  let size = 0
  wideBits = 0
  for (let index = 0; index < length; index++) {
    const value = values[index]
    switch (typeof value) {
      case 'number':
        size += 9
        break
      case 'string':
        size += mostHead + value.length
        if (size <= mostBytes && isWide(value)) {
          size += value.length
          wideBits |= 1 << index
        }
        break
      case 'boolean':
        size += 1
        break
      case 'undefined':
        if (!(index in values)) return notQuick
        size += 1
        break
      case 'object':
        if (value !== null) return notQuick
        size += 1
        break
      case 'bigint':
        size += mostHead + bigintText(value, 16).length
        break
      case 'function':
      case 'symbol':
      default:
        return notCloneable
    }
  }
  return size
}

/** Writes one value of a quick list and gives the place behind it. */
export function writeQuick(value: unknown, bytes: Uint8Array, at: number, wide: boolean): number {
  switch (typeof value) {
    case 'number':
      return writeNumber(value, bytes, at)
    case 'string':
      return writeCounted(wide ? isWideString : isString, value, bytes, at, wide)
    case 'bigint':
      return writeCounted(isBigint, bigintText(value, 16), bytes, at, false)
    case 'boolean':
      bytes[at] = value ? isTrue : isFalse
      return at + 1
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
    default:
      bytes[at] = value === null ? isNull : isUndefined
      return at + 1
  }
}

function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  // Zero with a sign is no integer.
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    bytes[at] = isInteger
    putCount(bytes, at + 1, value)
    return at + 5
  }
  bytes[at] = isDouble
  putDouble(bytes, at + 1, value)
  return at + 9
}

function writeCounted(
  token: number,
  text: string,
  bytes: Uint8Array,
  at: number,
  wide: boolean,
): number {
  bytes[at] = token
  putCount(bytes, at + 1, text.length)
  const to = at + 5
  return writeText(bytes, wide ? to + (to & 1) : to, text, wide)
}

/** Where reading stands; one list is read at a time. */
let place = 0

/** Reads so many values. */
export function readQuick(bytes: Uint8Array, at: number, count: number): unknown[] {
  const values: unknown[] = []
  place = at
  for (let index = 0; index < count; index++) values[index] = takeValue(bytes)
  return values
}

function takeValue(bytes: Uint8Array): unknown {
  switch (bytes[place++] as number) {
    case isInteger:
      place += 4
      return integerAt(bytes, place - 4)
    case isString:
      return takeText(bytes, false)
    case isDouble:
      place += 8
      return doubleAt(bytes, place - 8)
    case isNull:
      return null
    case isTrue:
      return true
    case isFalse:
      return false
    case isUndefined:
      return undefined
    case isWideString:
      return takeText(bytes, true)
    case isBigint:
      return bigintOf(takeText(bytes, false))
    default:
      throw new RangeError('these bytes are no values')
  }
}

function takeText(bytes: Uint8Array, wide: boolean): string {
  const length = countAt(bytes, place)
  const from = place + 4
  const start = wide ? from + (from & 1) : from
  place = start + (wide ? length * 2 : length)
  return readText(bytes, start, length, wide)
}
