/**
 * What a slot carries: small values themselves, or where they are.
 *
 * The FORMAT word says which. For small values it also has their number and their kinds; the numbers
 * among them lie in the payload's float64s, in order, and one string of one-byte characters may be
 * the last of all.
 *
 * ```text
 * bits 0-1   form: SMALL, PACKED or MESSAGE
 * bit  2     FAILED: the value is what a handler threw
 * bit  3     KEYED: the last value is the work's key, for show
 * bits 4-6   SMALL: how many values
 * bit  7     CHAINED: the work has a key, so that NEXT counts
 * bits 8-19  SMALL: three bits of kind for each
 * bits 20-25 SMALL: the length of the string
 * bit  26    STREAM: the caller takes the items of what the handler returns
 * bit  27    CARRIED: behind the arguments is what the caller's carriers captured, and its count
 * bit  28    CONTEXT: it carries a context that has a number, which stands in ENDED
 * ```
 *
 * These words are plain memory. Their writer has the slot for itself (the owner before it fills the
 * slot, the worker while it is CLAIMED), and their reader has read the state word that gave it away.
 *
 * @module
 */
import { readText } from './text.js'
import { payloadBytes, Slot, slotOf, type ClassMemory } from './layout.js'

export const Form = { SMALL: 0, PACKED: 1, MESSAGE: 2 } as const

export const Mark = {
  FAILED: 4,
  KEYED: 8,
  CHAINED: 1 << 7,
  STREAM: 1 << 26,
  CARRIED: 1 << 27,
  CONTEXT: 1 << 28,
} as const

const kinds = { UNDEFINED: 0, NULL: 1, FALSE: 2, TRUE: 3, NUMBER: 4, STRING: 5 } as const

const mostValues = 4

export const formOf = (format: number): number => format & 3

/**
 * Writes values into a slot's payload.
 *
 * @returns the format, or -1: they are not small enough
 */
export function writeSmall(to: ClassMemory, slot: number, values: readonly unknown[]): number {
  const count = values.length
  if (count > mostValues) return -1
  let format = Form.SMALL | (count << 4)
  const floats = (slotOf(slot) + Slot.PAYLOAD) >>> 1
  let used = 0
  for (let index = 0; index < count; index++) {
    const value = values[index]
    let kind: number
    switch (typeof value) {
      case 'number':
        to.floats[floats + used++] = value
        kind = kinds.NUMBER
        break
      case 'string':
        if (index !== count - 1 || !writeString(to.bytes, (floats + used) << 3, value, used))
          return -1
        format |= value.length << 20
        kind = kinds.STRING
        break
      case 'undefined':
        kind = kinds.UNDEFINED
        break
      case 'boolean':
        kind = value ? kinds.TRUE : kinds.FALSE
        break
      case 'object':
        if (value !== null) return -1
        kind = kinds.NULL
        break
      case 'bigint':
      case 'function':
      case 'symbol':
        return -1
    }
    format |= kind << (8 + 3 * index)
  }
  return format
}

/** Like {@link writeSmall}, for one value. */
export function writeSmallOne(to: ClassMemory, slot: number, value: unknown): number {
  const floats = (slotOf(slot) + Slot.PAYLOAD) >>> 1
  const one = Form.SMALL | (1 << 4)
  if (typeof value === 'number') {
    to.floats[floats] = value
    return one | (kinds.NUMBER << 8)
  }
  if (value === undefined) return one | (kinds.UNDEFINED << 8)
  if (value === null) return one | (kinds.NULL << 8)
  if (typeof value === 'boolean') return one | ((value ? kinds.TRUE : kinds.FALSE) << 8)
  if (typeof value !== 'string' || !writeString(to.bytes, floats << 3, value, 0)) return -1
  return one | (kinds.STRING << 8) | (value.length << 20)
}

/** Reads what {@link writeSmall} wrote. */
export function readSmall(from: ClassMemory, slot: number, format: number): unknown[] {
  const count = (format >>> 4) & 7
  const values: unknown[] = []
  const floats = (slotOf(slot) + Slot.PAYLOAD) >>> 1
  let used = 0
  for (let index = 0; index < count; index++) {
    const kind = (format >>> (8 + 3 * index)) & 7
    if (kind === kinds.NUMBER) values.push(from.floats[floats + used++])
    else if (kind === kinds.STRING)
      values.push(readString(from.bytes, (floats + used) << 3, format))
    else values.push(constantOf(kind))
  }
  return values
}

/** Reads what {@link writeSmallOne} wrote. */
export function readSmallOne(from: ClassMemory, slot: number, format: number): unknown {
  const kind = (format >>> 8) & 7
  const floats = (slotOf(slot) + Slot.PAYLOAD) >>> 1
  if (kind === kinds.NUMBER) return from.floats[floats]
  if (kind === kinds.STRING) return readString(from.bytes, floats << 3, format)
  return constantOf(kind)
}

function constantOf(kind: number): unknown {
  if (kind === kinds.UNDEFINED) return undefined
  return kind === kinds.NULL ? null : kind === kinds.TRUE
}

/** A loop is quicker than a call into Node for so few characters (measured: 54 against 98 ns for 10). */
function writeString(bytes: Buffer, at: number, text: string, floatsBefore: number): boolean {
  const { length } = text
  if (length > payloadBytes - 8 * floatsBefore) return false
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code > 255) return false
    bytes[at + index] = code
  }
  return true
}

function readString(bytes: Buffer, at: number, format: number): string {
  return readText(bytes, at, (format >>> 20) & 63, false)
}

/** Where a block with values is. */
export interface Place {
  readonly chunk: number
  readonly at: number
  readonly length: number
}

/** Writes where the values are. */
export function writePlace(
  to: ClassMemory,
  slot: number,
  chunk: number,
  at: number,
  length: number,
): void {
  const payload = slotOf(slot) + Slot.PAYLOAD
  to.words[payload] = chunk
  to.words[payload + 1] = at
  to.words[payload + 2] = length
}

/** Reads where the values are. */
export function readPlace(from: ClassMemory, slot: number): Place {
  const payload = slotOf(slot) + Slot.PAYLOAD
  return {
    chunk: from.words[payload] as number,
    at: from.words[payload + 1] as number,
    length: from.words[payload + 2] as number,
  }
}

const upper = 2 ** 32

/** Writes which work it is. Numbers of works go up to 2^52. */
export function writeHead(
  to: ClassMemory,
  slot: number,
  id: number,
  name: number,
  format: number,
  context: number,
): void {
  const at = slotOf(slot)
  to.words[at + Slot.NAME] = name | (Math.floor(id / upper) << nameBits)
  to.words[at + Slot.ID] = id
  to.words[at + Slot.FORMAT] = format
  to.words[at + Slot.TOLD] = 0
  to.words[at + Slot.BEGAN] = 0
  if ((format & Mark.CONTEXT) !== 0) to.words[at + Slot.ENDED] = context
}

/** Names of handlers are numbered with so many bits. */
export const nameBits = 12

export const nameOf = (from: ClassMemory, slot: number): number =>
  (from.words[slotOf(slot) + Slot.NAME] as number) & ((1 << nameBits) - 1)

export const idOf = (from: ClassMemory, slot: number): number => {
  const at = slotOf(slot)
  const high = (from.words[at + Slot.NAME] as number) >>> nameBits
  return high * upper + ((from.words[at + Slot.ID] as number) >>> 0)
}

/** The number of a work's context, before the work has ended, if its format says that it has one. */
export const contextOf = (from: ClassMemory, slot: number): number =>
  from.words[slotOf(slot) + Slot.ENDED] as number

export const formatOf = (from: ClassMemory, slot: number): number =>
  from.words[slotOf(slot) + Slot.FORMAT] as number
