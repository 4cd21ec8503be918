/**
 * Byte arrays that are nothing but their bytes: what covers a plain buffer as a whole.
 *
 * @module
 */
import {
  allocateUncleared,
  bufferLength,
  bufferResizable,
  copyBytes,
  dataViewBuffer,
  dataViewLength,
  dataViewOffset,
  isArrayBuffer,
  isView,
  setBytes,
  typedArrayBuffer,
  typedArrayLength,
  typedArrayName,
  typedArrayOffset,
} from './builtins.js'

type Make = (buffer: ArrayBuffer) => ArrayBuffer | ArrayBufferView

/** What arrives, by the name that V8 has for it; the numbers cross, as places in this list. */
const kinds: readonly (readonly [name: string, make: Make])[] = [
  ['ArrayBuffer', (buffer) => buffer],
  ['DataView', (buffer) => new DataView(buffer)],
  ['Uint8Array', (buffer) => new Uint8Array(buffer)],
  ['Int8Array', (buffer) => new Int8Array(buffer)],
  ['Uint8ClampedArray', (buffer) => new Uint8ClampedArray(buffer)],
  ['Int16Array', (buffer) => new Int16Array(buffer)],
  ['Uint16Array', (buffer) => new Uint16Array(buffer)],
  ['Int32Array', (buffer) => new Int32Array(buffer)],
  ['Uint32Array', (buffer) => new Uint32Array(buffer)],
  ['Float32Array', (buffer) => new Float32Array(buffer)],
  ['Float64Array', (buffer) => new Float64Array(buffer)],
  ['BigInt64Array', (buffer) => new BigInt64Array(buffer)],
  ['BigUint64Array', (buffer) => new BigUint64Array(buffer)],
]
const numberByName = new Map<string | undefined, number>(
  kinds.map(([name], index) => [name, index]),
)
const bytesKind = 2
/** From here on Buffer's copy is up to twice as quick as V8's, since Node 22; before it is the same. */
const large = 16_384

/** Bytes that wait to be written. They are the program's own, which may still change them. */
export class ByteArray {
  readonly kind: number
  readonly bytes: Uint8Array
  /** The buffer that the bytes are of: two views of one arrive as two views of one. */
  readonly buffer: ArrayBuffer

  constructor(kind: number, bytes: Uint8Array, buffer: ArrayBuffer) {
    this.kind = kind
    this.bytes = bytes
    this.buffer = buffer
  }

  /** Writes the bytes to a multiple of eight, and gives the place behind them. */
  writeTo(shared: Uint8Array, at: number): number {
    setBytes(shared, this.bytes, at)
    return at + this.bytes.length
  }

  copy(): ByteArray {
    return new ByteArray(this.kind, new Uint8Array(this.bytes), this.buffer)
  }
}

/**
 * The bytes of a view or a buffer; null for a part of a buffer, shared, resizable, and empty ones,
 * which may be detached, and for all else.
 */
export function byteArrayOf(value: object): ByteArray | null {
  if (!isView(value)) return isArrayBuffer(value) ? wholeOf(value, 0) : null
  const name = typedArrayName(value)
  if (name === undefined) {
    const buffer = dataViewBuffer(value)
    if (!isPlain(buffer) || dataViewOffset(value) !== 0) return null
    return dataViewLength(value) === bufferLength(buffer) ? wholeOf(buffer, 1) : null
  }
  const buffer = typedArrayBuffer(value)
  if (!isPlain(buffer) || typedArrayOffset(value) !== 0) return null
  if (typedArrayLength(value) !== bufferLength(buffer)) return null
  const kind = name === 'Uint8Array' ? bytesKind : numberByName.get(name)
  if (kind === undefined) return null
  if (kind !== bytesKind) return wholeOf(buffer, kind)
  return bufferLength(buffer) === 0 ? null : new ByteArray(kind, value as Uint8Array, buffer)
}

/** Copies bytes into an object of the kind. */
export function readBytes(
  shared: Uint8Array,
  at: number,
  length: number,
  kind: number,
): ArrayBuffer | ArrayBufferView {
  const copy = copyOf(shared, at, length)
  if (kind === bytesKind) return copy
  const [, make] = kinds[kind] as (typeof kinds)[number]
  return make(copy.buffer)
}

function copyOf(shared: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (length < large) return new Uint8Array(shared.subarray(at, at + length))
  const copy = allocateUncleared(length)
  copyBytes(shared, copy, 0, at, at + length)
  return new Uint8Array(copy.buffer)
}

function wholeOf(buffer: ArrayBuffer, kind: number): ByteArray | null {
  if (!isPlain(buffer) || bufferLength(buffer) === 0) return null
  return new ByteArray(kind, new Uint8Array(buffer), buffer)
}

function isPlain(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return isArrayBuffer(buffer) && !bufferResizable(buffer)
}
