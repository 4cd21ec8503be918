/**
 * Writes plain values as tokens and text. No code of the program runs meanwhile: no getter, no trap
 * of a proxy, no method that it could have put into a prototype.
 *
 * @module
 */
import { timeOf } from '../os/clock.js'
import {
  bigintText,
  eachOfMap,
  eachOfSet,
  getPrototypeOf,
  isArray,
  isDate,
  isMap,
  isProxy,
  isSet,
  keysOf,
  lookupGetter,
  ObjectPrototype,
  sizeOfMap,
  sizeOfSet,
} from './builtins.js'
import { type ByteArray, byteArrayOf } from './byte-arrays.js'
import { isExotic, mostDepth, seemsPlain } from './exotic.js'
import { type Graph, greatest, smallest, Token } from './graph.js'
import { beginMeeting, endMeeting, isNew, meet } from './meeting.js'
import { putCount, putDouble } from './numbers.js'
import { beginShapes, placeOf, shapeOf, textOfShapes } from './shapes.js'
import { isWide } from './text.js'

/**
 * What a look at a value says.
 *
 * - `written`: its tokens say everything that a clone keeps.
 * - `unlike`: it is none of the values that there are tokens for.
 * - `refused`: a getter would be called, it cannot be cloned, or it is too long: whoever sends it by
 *   message sees the same.
 */
export const written = 0
export const unlike = 1
export const refused = 2
export type Verdict = typeof written | typeof unlike | typeof refused

/** No value takes more before the next one is begun. */
const mostAtOnce = 16

// One list at a time, and no code of the program in between: so the state is the module's.
let tokens = new Uint8Array(4096)
let end = 0
let text = ''
let characters = 0
let mostCharacters = 0
let arrays: ByteArray[] = []
let arrayBytes = 0
let again = false
let wideText = ''
/**
 * Whether each text is looked at for its width. Else all are at once, at the end, which is quicker: if
 * one is wide, all is written once more, and the next list is expected to be of the same sort.
 */
let separate = false
/** The list whose tokens may still be in the memory that the next one is going to use. */
let last: Graph | null = null

/** The list with tokens and bytes of its own. */
export function keepGraph(graph: Graph): Graph {
  const copies = graph.arrays.map((array) => array.copy())
  const own = graph.tokens?.slice(0, graph.tokenLength) ?? null
  return { ...graph, arrays: copies, tokens: own }
}

/** Lets go of a list that was written. */
export function endGraph(graph: Graph): void {
  graph.tokens = null
  if (last === graph) last = null
}

/** Writes the values of a list one after the other. */
export function graphOf(
  values: readonly unknown[],
  mostBytes: number,
): Graph | Exclude<Verdict, typeof written> {
  for (const _ in ObjectPrototype) return refused // every object would seem to have that key
  if (last !== null) {
    if (last.tokens !== null) last.tokens = last.tokens.slice(0, last.tokenLength)
    last = null
  }
  end = 0
  text = ''
  characters = 0
  mostCharacters = mostBytes
  arrays = []
  arrayBytes = 0
  again = false
  wideText = ''
  beginShapes()
  beginMeeting()
  let verdict: Verdict = written
  const count = values.length
  for (let index = 0; index < count && verdict === written; index++) {
    const value = values[index]
    verdict = value === undefined && !(index in values) ? unlike : putValue(value, 1)
  }
  endMeeting()
  const all = text
  text = ''
  const wide = wideText
  wideText = ''
  if (verdict !== written) return verdict
  if (separate) separate = wide.length > 0
  else if (isWide(all)) {
    separate = true
    return graphOf(values, mostBytes)
  }
  last = {
    count,
    again,
    arrays,
    arrayBytes,
    text: all,
    wideText: wide,
    shapes: textOfShapes(),
    tokens,
    tokenLength: end,
  }
  return last
}

function putValue(value: unknown, depth: number): Verdict {
  if (end + mostAtOnce > tokens.length && !grow()) return refused
  switch (typeof value) {
    case 'string':
      return putText(value)
    case 'number':
      putNumber(value)
      return written
    case 'object':
      if (value !== null) return putObject(value, depth)
      tokens[end++] = Token.NULL
      return written
    case 'boolean':
      tokens[end++] = value ? Token.TRUE : Token.FALSE
      return written
    case 'undefined':
      tokens[end++] = Token.UNDEFINED
      return written
    case 'bigint':
      return putBigint(value)
    case 'function':
    case 'symbol':
    default:
      return refused
  }
}

/** More room for tokens; false if there are more than may be. */
function grow(): boolean {
  if (end > mostCharacters) return false
  const larger = new Uint8Array(tokens.length * 2)
  larger.set(tokens)
  tokens = larger
  return true
}

function putNumber(value: number): void {
  if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
    tokens[end] = Token.DOUBLE
    putDouble(tokens, end + 1, value)
    end += 9
  } else if (value >= smallest && value <= greatest) tokens[end++] = value + Token.ZERO
  else {
    tokens[end] = Token.INTEGER
    putCount(tokens, end + 1, value)
    end += 5
  }
}

function putText(value: string): Verdict {
  const { length } = value
  characters += length
  if (characters > mostCharacters) return refused
  if (separate && isWide(value)) {
    putCounted(Token.WIDE, length)
    wideText += value
    return written
  }
  if (length < 256) {
    tokens[end] = Token.SHORT
    tokens[end + 1] = length
    end += 2
  } else putCounted(Token.STRING, length)
  text += value
  return written
}

function putBigint(value: bigint): Verdict {
  const digits = bigintText(value, 16)
  putCounted(Token.BIGINT, digits.length)
  characters += digits.length
  if (characters > mostCharacters) return refused
  text += digits
  return written
}

/** Puts a token with a count, and gives the place of the count. */
function putCounted(token: number, count: number): number {
  tokens[end] = token
  putCount(tokens, end + 1, count)
  end += 5
  return end - 4
}

function putObject(value: object, depth: number): Verdict {
  if (isProxy(value) || depth > mostDepth) return refused
  const place = meet(value)
  if (place !== isNew) {
    again = true
    putCounted(Token.AGAIN, place)
    return written
  }
  if (isArray(value)) return putArray(value, depth)
  const prototype: unknown = getPrototypeOf(value)
  if (prototype === ObjectPrototype && seemsPlain(value)) return putProperties(value, depth)
  if (isDate(value)) {
    tokens[end] = Token.DATE
    putDouble(tokens, end + 1, timeOf(value))
    end += 9
    return written
  }
  if (isMap(value)) return putMap(value, depth)
  if (isSet(value)) return putSet(value, depth)
  const array = byteArrayOf(value)
  if (array !== null) return putBytes(array, value)
  if (prototype !== ObjectPrototype && prototype !== null) return unlike
  return isExotic(value) ? unlike : putProperties(value, depth)
}

function putProperties(value: object, depth: number): Verdict {
  const shape = shapeOf(value)
  if (shape === null) return putTable(value, depth)
  // Without properties it may well be something else than it seems.
  if (shape.length === 0 && isExotic(value)) return unlike
  const place = placeOf(shape)
  if (place < 0) return putTable(value, depth)
  tokens[end] = Token.OBJECT
  tokens[end + 1] = place
  end += 2
  for (const key in value) {
    if (lookupGetter(value, key) !== undefined) return refused
    const verdict = putValue((value as Record<string, unknown>)[key], depth + 1)
    if (verdict !== written) return verdict
  }
  return written
}

function putTable(value: object, depth: number): Verdict {
  const place = putCounted(Token.TABLE, 0)
  let count = 0
  for (const key in value) {
    if (lookupGetter(value, key) !== undefined) return refused
    if ((end + mostAtOnce > tokens.length && !grow()) || putText(key) !== written) return refused
    const verdict = putValue((value as Record<string, unknown>)[key], depth + 1)
    if (verdict !== written) return verdict
    count++
  }
  putCount(tokens, place, count)
  return written
}

function putArray(array: readonly unknown[], depth: number): Verdict {
  const { length } = array
  if (length > mostCharacters) return refused
  const keys = keysOf(array)
  // As many keys as elements, and the last one is that of the last element: no holes, nothing else.
  if (keys.length !== length) return unlike
  if (length > 0 && keys[length - 1] !== `${length - 1}`) return unlike
  putCounted(Token.ARRAY, length)
  for (let index = 0; index < length; index++) {
    if (lookupGetter(array, index) !== undefined) return refused
    const verdict = putValue(array[index], depth + 1)
    if (verdict !== written) return verdict
  }
  return written
}

function putMap(map: object, depth: number): Verdict {
  if (sizeOfMap(map) * 2 > mostCharacters) return refused
  const place = putCounted(Token.MAP, 0)
  let verdict: Verdict = written
  let count = 0
  eachOfMap(map, (value, key) => {
    if (verdict === written) verdict = putValue(key, depth + 1)
    if (verdict === written) verdict = putValue(value, depth + 1)
    count++
  })
  putCount(tokens, place, count)
  return verdict
}

function putSet(set: object, depth: number): Verdict {
  if (sizeOfSet(set) > mostCharacters) return refused
  const place = putCounted(Token.SET, 0)
  let verdict: Verdict = written
  let count = 0
  eachOfSet(set, (value) => {
    if (verdict === written) verdict = putValue(value, depth + 1)
    count++
  })
  putCount(tokens, place, count)
  return verdict
}

function putBytes(array: ByteArray, value: object): Verdict {
  // A second view of a buffer would need the first one's memory.
  if (array.buffer !== value && meet(array.buffer) !== isNew) return unlike
  const { length } = array.bytes
  arrayBytes += (length + 7) & ~7
  if (arrayBytes > mostCharacters) return refused
  arrays[arrays.length] = array
  tokens[end] = Token.BYTES
  tokens[end + 1] = array.kind
  putCount(tokens, end + 2, length)
  end += 6
  return written
}
