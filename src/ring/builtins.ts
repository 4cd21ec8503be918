/**
 * The builtins that the encoding rests on, taken while this module loads: a program may patch any of
 * them afterwards, and `postMessage` would not notice that either.
 *
 * @module
 */
import { builtin } from '../os/builtin.js'

const { types } = builtin('node:util')

/** A function of a builtin's object, which is its first argument. */
type Method<This, Args extends readonly unknown[], Result> = (self: This, ...args: Args) => Result
type Getter<This, Result> = (self: This) => Result

/**
 * The method of that name as a function of its object; null if there is none.
 * A bound `call` is inlined by V8, and looks nothing up that a program could have changed.
 */
function method(prototype: object, name: PropertyKey): unknown {
  return bound(Object.getOwnPropertyDescriptor(prototype, name)?.value)
}

/** The accessor of that name as a function of its object; null if there is none. */
function getter(prototype: object, name: PropertyKey): unknown {
  // oxlint-disable-next-line typescript/unbound-method -- it is bound to its object at each call
  return bound(Object.getOwnPropertyDescriptor(prototype, name)?.get)
}

function bound(callee: unknown): unknown {
  return typeof callee === 'function' ? Function.prototype.call.bind(callee) : null
}

export const ObjectPrototype = Object.prototype
export const { getPrototypeOf, keys: keysOf, hasOwn, defineProperty } = Object
export const { isArray } = Array
// oxlint-disable-next-line typescript/unbound-method -- it has no use for a `this`
export const isView: (value: unknown) => value is ArrayBufferView = ArrayBuffer.isView
export const { stringify, parse } = JSON
export const {
  isAnyArrayBuffer,
  isArgumentsObject,
  isArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isExternal,
  isGeneratorObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSetIterator,
  isWeakMap,
  isWeakSet,
} = types

/**
 * The getter of a property, own or inherited, without calling it: undefined for a data property.
 * Cheaper than a descriptor, which would be an object each time.
 */
export const lookupGetter = method(Object.prototype, '__lookupGetter__') as Method<
  object,
  [PropertyKey],
  unknown
>

const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object
type View = ArrayBufferView
/** 'Uint8Array' and so on, whatever its prototype says; undefined for a DataView. */
export const typedArrayName = getter(TypedArrayPrototype, Symbol.toStringTag) as Getter<
  View,
  string | undefined
>
type BufferOf = Getter<View, ArrayBufferLike>
export const typedArrayBuffer = getter(TypedArrayPrototype, 'buffer') as BufferOf
export const typedArrayOffset = getter(TypedArrayPrototype, 'byteOffset') as Getter<View, number>
export const typedArrayLength = getter(TypedArrayPrototype, 'byteLength') as Getter<View, number>
export const dataViewBuffer = getter(DataView.prototype, 'buffer') as BufferOf
export const dataViewOffset = getter(DataView.prototype, 'byteOffset') as Getter<View, number>
export const dataViewLength = getter(DataView.prototype, 'byteLength') as Getter<View, number>
export const bufferLength = getter(ArrayBuffer.prototype, 'byteLength') as Getter<
  ArrayBuffer,
  number
>
export const bufferResizable = getter(ArrayBuffer.prototype, 'resizable') as Getter<
  ArrayBuffer,
  boolean
>
type SetBytes = Method<Uint8Array, [source: Uint8Array, at: number], void>
export const setBytes = method(TypedArrayPrototype, 'set') as SetBytes

const rawJson = JSON as { isRawJSON?: (value: unknown) => boolean }
/** True for what `JSON.rawJSON` makes, on a Node that has it. */
export const isRawJSON: (value: unknown) => boolean = rawJson.isRawJSON ?? (() => false)
/** '[object Object]' and so on: what an object is, unless it has a tag of its own. */
export const tagOf = method(Object.prototype, 'toString') as Method<object, [], string>

type CopyBytes = Method<
  Uint8Array,
  [target: Uint8Array, at: number, from: number, to: number],
  number
>
/** Memory of its own, of exactly that length, with whatever is in it. */
// oxlint-disable-next-line typescript/unbound-method -- it has no use for a `this`
export const allocateUncleared: (length: number) => Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow
export const copyBytes = method(Buffer.prototype, 'copy') as CopyBytes

type EachOfMap = Method<object, [(value: unknown, key: unknown) => void], void>
export const eachOfMap = method(Map.prototype, 'forEach') as EachOfMap
export const eachOfSet = method(Set.prototype, 'forEach') as Method<
  object,
  [(value: unknown) => void],
  void
>

type Key = object | string
type MapGet = <V>(map: Map<Key, V>, key: Key) => V | undefined
export const getFromMap = method(Map.prototype, 'get') as MapGet
type MapSet = Method<Map<unknown, unknown>, [key: unknown, value: unknown], unknown>
export const setInMap = method(Map.prototype, 'set') as MapSet
export const clearMap = method(Map.prototype, 'clear') as Method<Map<Key, unknown>, [], void>
export const sizeOfMap = getter(Map.prototype, 'size') as Getter<object, number>
export const sizeOfSet = getter(Set.prototype, 'size') as Getter<object, number>
export const addToSet = method(Set.prototype, 'add') as Method<Set<unknown>, [unknown], unknown>
export const isInSet = method(Set.prototype, 'has') as Method<
  ReadonlySet<unknown>,
  [unknown],
  boolean
>

type Part = Method<string, [from: number, to: number], string>
export const partOf = method(String.prototype, 'slice') as Part
export const execute = method(RegExp.prototype, 'exec') as Method<RegExp, [string], unknown>
export const codeAt = method(String.prototype, 'charCodeAt') as Method<string, [number], number>
export const bigintText = method(BigInt.prototype, 'toString') as Method<bigint, [number], string>

// What `toString` and `write` of every Buffer call; they work on any bytes, shared ones too (measured).
type Slice = Method<Uint8Array, [from: number, to: number], string>
type Write = Method<Uint8Array, [text: string, at: number, byteLength: number], number>
export const latin1Slice = method(Buffer.prototype, 'latin1Slice') as Slice
export const latin1Write = method(Buffer.prototype, 'latin1Write') as Write
export const ucs2Slice = method(Buffer.prototype, 'ucs2Slice') as Slice
export const ucs2Write = method(Buffer.prototype, 'ucs2Write') as Write

/** V8 has an accessor of its own for the stack of an error, on some versions; null on the others. */
export const stackGetter: unknown =
  // oxlint-disable-next-line typescript/unbound-method -- it is compared, not called
  Object.getOwnPropertyDescriptor(new Error('stack'), 'stack')?.get ?? null
