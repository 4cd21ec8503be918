/**
 * Makes values of tokens and text. Whatever a program did to the prototypes, the values have
 * properties and elements of their own.
 *
 * @module
 */
import { dateOf } from '../os/clock.js'
import { addToSet, defineProperty, ObjectPrototype, partOf, setInMap } from './builtins.js'
import { readBytes } from './byte-arrays.js'
import { Head, Token } from './graph.js'
import { aligned, countAt, doubleAt, integerAt } from './numbers.js'
import { type Mould, mouldsOf } from './shapes.js'
import { bigintOf, readText } from './text.js'

/**
 * Parts of a string keep all of it in memory. Of a text that is longer, they are read by themselves,
 * but for those that V8 copies because they are short.
 */
const mostKept = 4096
const shortestPart = 13

const noBytes = new Uint8Array(0)
const noMoulds: readonly Mould[] = []

// One list at a time: so the state is the module's.
let bytes: Uint8Array = noBytes
/** Where the next token is. */
let place = 0
/** Where the bytes of the next array are. */
let arrayPlace = 0
let text = ''
let textPlace = 0
let textStart = 0
let widePlace = 0
let moulds: readonly Mould[] = []
/** All objects so far, if some of them come again. */
let made: unknown[] | null = null

/** Reads a list whose head is there. */
export function readGraph(shared: Uint8Array, at: number): unknown[] {
  bytes = shared
  const characters = countAt(shared, at + Head.TEXT)
  const shapes = countAt(shared, at + Head.SHAPES)
  made = shared[at + Head.AGAIN] === 0 ? null : []
  arrayPlace = at + Head.LENGTH
  place = arrayPlace + countAt(shared, at + Head.ARRAYS)
  const shapeStart = place + countAt(shared, at + Head.TOKENS)
  moulds = shapes === 0 ? noMoulds : mouldsOf(readText(shared, shapeStart, shapes, false))
  textStart = shapeStart + shapes
  textPlace = 0
  text = readText(shared, textStart, characters, false)
  widePlace = textStart + characters
  widePlace += widePlace & 1
  const count = countAt(shared, at + Head.COUNT)
  const values: unknown[] = []
  for (let index = 0; index < count; index++) values[index] = takeValue()
  made = null
  text = ''
  bytes = noBytes
  return values
}

function takeValue(): unknown {
  const token = bytes[place++] as number
  if (token >= Token.SMALL) return token - Token.ZERO
  switch (token) {
    case Token.SHORT:
      return takePart(bytes[place++] as number)
    case Token.OBJECT:
      return takeObject()
    case Token.NULL:
      return null
    case Token.TRUE:
      return true
    case Token.FALSE:
      return false
    case Token.INTEGER:
      place += 4
      return integerAt(bytes, place - 4)
    case Token.DOUBLE:
      place += 8
      return doubleAt(bytes, place - 8)
    case Token.ARRAY:
      return takeArray(takeCount())
    default:
      return takeRare(token)
  }
}

function takeRare(token: number): unknown {
  switch (token) {
    case Token.UNDEFINED:
      return undefined
    case Token.STRING:
      return takePart(takeCount())
    case Token.WIDE:
      return takeWide(takeCount())
    case Token.BIGINT:
      return bigintOf(takePart(takeCount()))
    case Token.TABLE:
      return takeTable(takeCount())
    case Token.DATE:
      place += 8
      return remember(dateOf(doubleAt(bytes, place - 8)))
    case Token.MAP:
      return takeMap(takeCount())
    case Token.SET:
      return takeSet(takeCount())
    case Token.BYTES:
      return takeBytes(bytes[place++] as number, takeCount())
    case Token.AGAIN:
      return (made as unknown[])[takeCount()]
    default:
      throw new RangeError('these bytes are no values')
  }
}

function takeCount(): number {
  place += 4
  return countAt(bytes, place - 4)
}

function takePart(length: number): string {
  const from = textPlace
  textPlace += length
  if (text.length > mostKept && length >= shortestPart)
    return readText(bytes, textStart + from, length, false)
  return partOf(text, from, textPlace)
}

function takeWide(length: number): string {
  const from = widePlace
  widePlace += length * 2
  return readText(bytes, from, length, true)
}

/** Objects have the numbers that the writer gave them when it met them: before what is in them. */
function remember<T>(value: T): T {
  if (made !== null) made[made.length] = value
  return value
}

function takeObject(): object {
  const { keys, template } = moulds[bytes[place++] as number] as Mould
  const object: Record<string, unknown> = { ...template }
  if (made !== null) made[made.length] = object
  for (let index = 0; index < keys.length; index++) object[keys[index] as string] = takeValue()
  return object
}

function takeTable(count: number): object {
  const object: Record<string, unknown> = remember({})
  for (let index = 0; index < count; index++) {
    const key = takeValue() as string
    const value = takeValue()
    if (key in ObjectPrototype) {
      const attributes = { value, writable: true, enumerable: true, configurable: true }
      defineProperty(object, key, attributes)
    } else object[key] = value
  }
  return object
}

function takeArray(length: number): unknown[] {
  const array: unknown[] = []
  if (made !== null) made[made.length] = array
  for (let index = 0; index < length; index++) array[index] = takeValue()
  return array
}

function takeMap(count: number): Map<unknown, unknown> {
  const map = remember(new Map<unknown, unknown>())
  for (let index = 0; index < count; index++) setInMap(map, takeValue(), takeValue())
  return map
}

function takeSet(count: number): Set<unknown> {
  const set = remember(new Set<unknown>())
  for (let index = 0; index < count; index++) addToSet(set, takeValue())
  return set
}

function takeBytes(kind: number, length: number): unknown {
  const array = readBytes(bytes, arrayPlace, length, kind)
  arrayPlace = aligned(arrayPlace + length)
  remember(array)
  // The writer met its buffer too.
  if (made !== null && ArrayBuffer.isView(array)) remember(array.buffer)
  return array
}
