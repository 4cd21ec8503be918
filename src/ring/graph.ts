/**
 * How a list of plain values crosses that has objects in it: as a graph, written value by value.
 *
 * First a head (below), then at a multiple of eight each the bytes of byte arrays, then the tokens:
 * for each value a byte that says what it is, and what that needs. Then the text of all shapes, all
 * text of the list that takes one byte a character, and from an even place that which takes two.
 *
 * @module
 */
import { copyBytes } from './builtins.js'
import type { ByteArray } from './byte-arrays.js'
import { aligned, putCount } from './numbers.js'
import { writeText } from './text.js'

/** The words of the head, by their place in bytes. The first byte is the form of the list. */
export const Head = {
  /** One byte: 1 if an object is met again, so that the reader must remember them. */
  AGAIN: 1,
  TOKENS: 4,
  /** In characters. So is the next. */
  TEXT: 8,
  SHAPES: 12,
  /** How many bytes the byte arrays take. */
  ARRAYS: 16,
  /** How many values the list has. */
  COUNT: 20,
  /** In characters. */
  WIDE: 24,
  LENGTH: 32,
} as const

/** A list that waits to be written. */
export interface Graph {
  readonly count: number
  readonly again: boolean
  readonly arrays: readonly ByteArray[]
  readonly arrayBytes: number
  readonly text: string
  readonly wideText: string
  readonly shapes: string
  /** The first `tokenLength` of these; none once they are written. */
  tokens: Uint8Array | null
  readonly tokenLength: number
}

/** How many bytes a list takes at most. */
export function sizeOfGraph(graph: Graph): number {
  const { arrayBytes, text, wideText, shapes, tokenLength } = graph
  const wideBytes = wideText.length === 0 ? 0 : wideText.length * 2 + 1
  return Head.LENGTH + arrayBytes + tokenLength + shapes.length + text.length + wideBytes
}

/** So few bytes are copied quicker one by one than by a call. */
const fewTokens = 48

/** Writes all of a list but its first byte. */
export function writeGraph(graph: Graph, bytes: Uint8Array, at: number): void {
  const { arrays, text, wideText, shapes, tokens, tokenLength } = graph
  if (tokens === null) throw new TypeError('values are written once: keep them')
  bytes[at + Head.AGAIN] = graph.again ? 1 : 0
  putCount(bytes, at + Head.TOKENS, tokenLength)
  putCount(bytes, at + Head.TEXT, text.length)
  putCount(bytes, at + Head.SHAPES, shapes.length)
  putCount(bytes, at + Head.ARRAYS, graph.arrayBytes)
  putCount(bytes, at + Head.COUNT, graph.count)
  putCount(bytes, at + Head.WIDE, wideText.length)
  let to = at + Head.LENGTH
  for (let index = 0; index < arrays.length; index++)
    to = aligned((arrays[index] as ByteArray).writeTo(bytes, to))
  if (tokenLength > fewTokens) copyBytes(tokens, bytes, to, 0, tokenLength)
  else for (let index = 0; index < tokenLength; index++) bytes[to + index] = tokens[index] as number
  to = writeText(bytes, to + tokenLength, shapes, false)
  to = writeText(bytes, to, text, false)
  if (wideText.length > 0) writeText(bytes, to + (to & 1), wideText, true)
}

/** What a value is. Counts and lengths take four bytes unless it is said. */
export const Token = {
  UNDEFINED: 0,
  NULL: 1,
  TRUE: 2,
  FALSE: 3,
  /** Four bytes. */
  INTEGER: 4,
  /** Eight bytes. */
  DOUBLE: 5,
  /** Its length in one byte; its characters are the next ones of the text. */
  SHORT: 6,
  /** Its length. */
  STRING: 7,
  /** The same for the text of two bytes a character. */
  WIDE: 17,
  /** The length of its hexadecimal digits, which are in the text. */
  BIGINT: 8,
  /** One byte: the shape. Then the values. */
  OBJECT: 9,
  /** The count of keys. Then each key, as a string, and its value. */
  TABLE: 10,
  /** Its length. Then the elements. */
  ARRAY: 11,
  /** Eight bytes: its time. */
  DATE: 12,
  /** The count of entries. Then keys and values. */
  MAP: 13,
  /** The count. Then the elements. */
  SET: 14,
  /** Its kind in one byte, then its length. */
  BYTES: 15,
  /** Which of the objects so far it is. */
  AGAIN: 16,
  /** From here on a byte is an integer: that of the middle is zero. */
  SMALL: 64,
  ZERO: 128,
} as const

/** The integers that are their token: those from -64 to 127. */
export const [smallest, greatest] = [-64, 127]
