/**
 * The shapes of plain objects: which keys they have, in which order. Objects of a shape cross as their
 * values alone; the keys cross as one text for all shapes in a list, which the reader has mostly seen.
 *
 * @module
 */
import { clearMap, getFromMap, parse, partOf, setInMap, sizeOfMap, stringify } from './builtins.js'

/** An object of more keys is rather a table: it crosses with its keys. */
const mostKeys = 64
/** A text of shapes that is longer is not remembered: 512 of them are at most two megabytes. */
const mostRemembered = 4096
/** So many texts, and so many nodes, are remembered; then all are forgotten. */
const mostTexts = 512
const mostNodes = 8192
/**
 * What a message may add to the memory. Objects that are tables have new keys all the time; they use
 * it up and then cross with their keys, while a message that adds nothing earns some of it back.
 */
const mostCredit = 1024
const creditPerMessage = 8

/** The keys up to one of them. In the order of its keys, an object leads from the root to its shape. */
export class Shape {
  readonly before: Shape | null
  readonly key: string
  readonly length: number
  /** The step that was taken last: most often it is the next one too. */
  hintKey: string | null = null
  hint: Shape | null = null
  readonly next = new Map<string, Shape>()
  /** The keys as text, once it was asked for. */
  text: string | null = null
  /** Its place among the shapes of the message of that number. */
  place = 0
  message = 0

  constructor(before: Shape | null, key: string) {
    this.before = before
    this.key = key
    this.length = before === null ? 0 : before.length + 1
  }
}

/** The texts of shapes one after the other, in the order in which a message has them. */
class Sequence {
  readonly text: string
  hintShape: Shape | null = null
  hint: Sequence | null = null
  readonly next = new Map<Shape, Sequence>()

  constructor(text: string) {
    this.text = text
  }
}

let root = new Shape(null, '')
let none = new Sequence('')
let nodes = 0
let credit = mostCredit
let message = 0
let count = 0
let sequence = none

/** Begins a message without shapes. */
export function beginShapes(): void {
  message++
  count = 0
  if (credit < mostCredit) credit += creditPerMessage
  if (nodes > mostNodes) {
    root = new Shape(null, '')
    none = new Sequence('')
    nodes = 0
  }
  sequence = none
}

/** The text of all shapes of the message. */
export function textOfShapes(): string {
  return sequence.text
}

/** The shape of an object; null for a table. */
export function shapeOf(value: object): Shape | null {
  let shape = root
  for (const key in value) {
    if (shape.hintKey === key) shape = shape.hint as Shape
    else {
      const next = step(shape, key)
      if (next === null) return null
      shape = next
    }
  }
  return shape
}

/** The place of a shape in the message; -1 if it has too many. */
export function placeOf(shape: Shape): number {
  if (shape.message === message) return shape.place
  if (count === 256) return -1
  shape.message = message
  shape.place = count
  count++
  sequence = sequence.hintShape === shape ? (sequence.hint as Sequence) : follow(sequence, shape)
  return shape.place
}

function step(from: Shape, key: string): Shape | null {
  let next = getFromMap(from.next, key)
  if (next === undefined) {
    if (credit <= 0 || from.length === mostKeys) return null
    credit--
    nodes++
    next = new Shape(from, key)
    setInMap(from.next, key, next)
  }
  from.hintKey = key
  from.hint = next
  return next
}

function follow(from: Sequence, shape: Shape): Sequence {
  let next = getFromMap(from.next, shape)
  if (next === undefined) {
    next = new Sequence(from.text + textOf(shape))
    if (credit <= 0 || next.text.length > mostRemembered) return next
    credit--
    nodes++
    setInMap(from.next, shape, next)
  }
  from.hintShape = shape
  from.hint = next
  return next
}

/** The keys as a line of JSON, with one byte a character. */
function textOf(shape: Shape): string {
  if (shape.text === null) {
    const keys: string[] = []
    for (let each = shape; each.before !== null; each = each.before)
      keys[each.length - 1] = each.key
    shape.text = `${narrowed(stringify(keys))}\n`
  }
  return shape.text
}

function narrowed(json: string): string {
  let text = ''
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index)
    text += code < 256 ? json[index] : `\\u${code.toString(16).padStart(4, '0')}`
  }
  return text
}

/** What the reader makes objects of a shape from. */
export interface Mould {
  readonly keys: readonly string[]
  /**
   * An object with the keys, to be copied: so they are the copy's own, whatever the prototype of all
   * objects has under their names.
   */
  readonly template: Readonly<Record<string, unknown>>
}

interface Known {
  readonly text: string
  readonly moulds: readonly Mould[]
}
const remembered = new Map<string, Known>()
/** The texts read last, by their length: to compare two is quicker than to hash one. */
const latest: Known[] = Array.from({ length: 64 }, () => ({ text: '', moulds: [] }))

/** The moulds for the shapes that have that text. */
export function mouldsOf(text: string): readonly Mould[] {
  const place = text.length % latest.length
  const late = latest[place] as Known
  if (late.text === text) return late.moulds
  const known = getFromMap(remembered, text) ?? learn(text)
  if (text.length <= mostRemembered) latest[place] = known
  return known.moulds
}

function learn(text: string): Known {
  const moulds: Mould[] = []
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from)
    const keys = parse(partOf(text, from, end)) as string[]
    const entries: string[] = []
    for (let index = 0; index < keys.length; index++)
      entries[index] = `${stringify(keys[index])}:null`
    const template = parse(`{${entries.join(',')}}`) as Record<string, unknown>
    moulds[moulds.length] = { keys, template }
    from = end + 1
  }
  const known = { text, moulds }
  if (text.length <= mostRemembered) {
    if (sizeOfMap(remembered) >= mostTexts) clearMap(remembered)
    setInMap(remembered, text, known)
  }
  return known
}
