/**
 * Values as bytes of shared memory: the arguments of a work, or its result as a list of one.
 * What is read equals exactly what `postMessage` of the same list gives on this Node.
 *
 * A list takes one of three forms. Quick: scalars and text, one after the other. Graph: also plain
 * objects, arrays, maps, sets, dates and byte arrays, as our own tokens. Whole: as V8 serializes it,
 * for what has no tokens. What has none of these forms goes by message.
 *
 * Two things that `postMessage` refuses cross, since nothing shows them from here: a plain object after
 * `markAsUncloneable`, and what cannot be cloned but was given the prototype of plain objects.
 *
 * @module
 */
import { setBytes } from './builtins.js'
import { type Graph, sizeOfGraph, writeGraph } from './graph.js'
import { readGraph } from './graph-reader.js'
import { endGraph, graphOf, keepGraph, refused, unlike } from './graph-writer.js'
import { aligned, countAt, putCount } from './numbers.js'
import {
  mostQuick,
  notCloneable,
  notQuick,
  readQuick,
  sizeOfQuick,
  wideBits,
  writeQuick,
} from './quick.js'
import { deserialize, serialize, type Structured } from './structured.js'

/** Shared buffers by number, for who writes: the number stays announced to the reader. */
export interface SharedBuffers {
  numberOf(buffer: SharedArrayBuffer): number
}

/** Shared buffers by number, for who reads. */
export interface SharedBuffersByNumber {
  bufferOf(number: number): SharedArrayBuffer
}

/** Values that wait to be written, once. */
export interface Packed {
  /** How many bytes they take at most. */
  readonly byteLength: number
}

// The first byte says the form.
const quickForm = 0
const graphForm = 1
const wholeForm = 2
/** The form, then the count of values in one byte. */
const quickHead = 2
/** The form, then at 4 the length of V8's bytes, at 8 the count of numbers, then these. */
const wholeHead = 12

class PackedQuick implements Packed {
  readonly byteLength: number
  readonly values: readonly unknown[]
  /** A bit for each value: whether its text takes two bytes a character. */
  readonly wide: number

  constructor(byteLength: number, values: readonly unknown[], wide: number) {
    this.byteLength = byteLength
    this.values = values
    this.wide = wide
  }
}

class PackedGraph implements Packed {
  readonly byteLength: number
  readonly graph: Graph

  constructor(graph: Graph) {
    this.byteLength = sizeOfGraph(graph)
    this.graph = graph
  }
}

class PackedWhole implements Packed {
  readonly byteLength: number
  readonly structured: Structured

  constructor(structured: Structured) {
    const { bytes, numbers } = structured
    this.byteLength = aligned(wholeHead + numbers.length * 4) + bytes.length
    this.structured = structured
  }
}

/**
 * Finds the form in which the list can cross; null if it has none, or takes more than so many bytes:
 * then it must go by message. The list itself must be an array without anything special. It and the
 * bytes of byte arrays are referred to until they are written.
 */
export function pack(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  const size = values.length > mostQuick ? notQuick : sizeOfQuick(values, mostBytes)
  if (size === notCloneable) return null
  if (size === notQuick) return packObjects(values, mostBytes, shared)
  const byteLength = quickHead + size
  return byteLength > mostBytes ? null : new PackedQuick(byteLength, values, wideBits)
}

function packObjects(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  try {
    const packed = packedOf(values, mostBytes, shared)
    return packed === null || packed.byteLength > mostBytes ? null : packed
  } catch (error) {
    // The caller has used up nearly all of the stack, or there is no memory for so much text.
    if (error instanceof RangeError) return null
    throw error
  }
}

function packedOf(
  values: readonly unknown[],
  mostBytes: number,
  shared: SharedBuffers,
): Packed | null {
  const graph = graphOf(values, mostBytes)
  if (graph === refused) return null
  if (graph !== unlike) return new PackedGraph(graph)
  const structured = serialize(values, mostBytes, shared)
  return structured === null ? null : new PackedWhole(structured)
}

/** Copies what its owner could still change, for whoever writes later. */
export function keep(packed: Packed): Packed {
  if (packed instanceof PackedQuick) {
    const values: unknown[] = []
    for (let index = 0; index < packed.values.length; index++) values[index] = packed.values[index]
    return new PackedQuick(packed.byteLength, values, packed.wide)
  }
  return packed instanceof PackedGraph ? new PackedGraph(keepGraph(packed.graph)) : packed
}

/** Writes at most `packed.byteLength` bytes from `at`, a multiple of eight. */
export function write(packed: Packed, bytes: Uint8Array, at: number): void {
  if (packed instanceof PackedQuick) {
    const { values, wide } = packed
    bytes[at] = quickForm
    bytes[at + 1] = values.length
    let to = at + quickHead
    for (let index = 0; index < values.length; index++)
      to = writeQuick(values[index], bytes, to, (wide & (1 << index)) !== 0)
  } else if (packed instanceof PackedGraph) {
    bytes[at] = graphForm
    writeGraph(packed.graph, bytes, at)
    endGraph(packed.graph)
  } else if (packed instanceof PackedWhole) writeWhole(packed.structured, bytes, at)
}

/** Reads a list that `write` wrote. */
export function read(
  bytes: Uint8Array,
  at: number,
  _byteLength: number,
  shared: SharedBuffersByNumber,
): unknown[] {
  const form = bytes[at]
  if (form === quickForm) return readQuick(bytes, at + quickHead, bytes[at + 1] as number)
  if (form === graphForm) return readGraph(bytes, at)
  if (form === wholeForm) return readWhole(bytes, at, shared)
  throw new RangeError('these bytes are no values')
}

function writeWhole({ bytes, numbers }: Structured, shared: Uint8Array, at: number): void {
  shared[at] = wholeForm
  putCount(shared, at + 4, bytes.length)
  putCount(shared, at + 8, numbers.length)
  let to = at + wholeHead
  for (let index = 0; index < numbers.length; index++, to += 4)
    putCount(shared, to, numbers[index] as number)
  setBytes(shared, bytes, aligned(to))
}

function readWhole(bytes: Uint8Array, at: number, shared: SharedBuffersByNumber): unknown[] {
  const [length, count] = [countAt(bytes, at + 4), countAt(bytes, at + 8)]
  const buffers: SharedArrayBuffer[] = []
  let from = at + wholeHead
  for (let index = 0; index < count; index++, from += 4)
    buffers[index] = shared.bufferOf(countAt(bytes, from))
  from = aligned(from)
  return deserialize(bytes.subarray(from, from + length), buffers)
}
