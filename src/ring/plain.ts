/**
 * Which objects JSON carries exactly: what `JSON.parse(JSON.stringify(x))` gives is then what
 * `postMessage` of `x` gives, and no code of the program runs while that is found out.
 *
 * @module
 */
import {
  ArrayPrototype,
  getPrototypeOf,
  isAnyArrayBuffer,
  isArgumentsObject,
  isArray,
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
  isView,
  isWeakMap,
  isWeakSet,
  keysOf,
  lookupGetter,
  ObjectPrototype,
} from './builtins.js'

/**
 * What a look at an object says.
 *
 * - `exact`: its JSON text says everything that a clone keeps.
 * - `unlike`: JSON says less than a clone, or other things.
 * - `refused`: a getter would be called, or the clone fails: whoever sends it by message sees the same.
 */
export const exact = 0
export const unlike = 1
export const refused = 2
export type Verdict = typeof exact | typeof unlike | typeof refused

/**
 * Deeper nesting goes by message. V8 reads nested values by recursion, and 200 levels fit a stack of
 * half a megabyte four times (measured); data that people write is not a tenth as deep.
 */
export const mostDepth = 200

// One walk at a time, which no code of the program interrupts: so the state of a walk is the module's.
/** The objects met so far: few are found quicker by comparing than by hash. */
const met: object[] = []
const mostCompared = 24
let metMore: Set<object> | null = null
/** How many more characters of text there may be; an estimate from below. */
let room = 0

/** Begins a walk over the objects of one list, whose text is to have at most so many characters. */
export function begin(mostCharacters: number): void {
  room = mostCharacters
}

/** Ends the walk: nothing of the program's is kept alive. */
export function end(): void {
  met.length = 0
  metMore = null
}

/** True if the object was met before in this walk: JSON would make two of one. */
export function meet(value: object): boolean {
  const count = met.length
  for (let index = 0; index < count; index++) if (met[index] === value) return true
  if (count < mostCompared) {
    met.push(value)
    return false
  }
  metMore ??= new Set()
  if (metMore.has(value)) return true
  metMore.add(value)
  return false
}

/**
 * True if the prototypes of plain values are as they should be: `for … in` then sees own properties
 * alone, and `JSON.stringify` finds no `toJSON`.
 */
export function arePrototypesClean(): boolean {
  // oxlint-disable-next-line typescript/no-for-in-array -- what is inherited is what it looks for
  for (const _ in ArrayPrototype) return false
  return !('toJSON' in ArrayPrototype)
}

/** Looks at an object and everything below it. Asks for `begin`, clean prototypes, and `end`. */
export function look(value: object, depth: number): Verdict {
  if (isProxy(value)) return refused
  if (depth > mostDepth) return refused
  if (isArray(value)) return lookAtArray(value, depth)
  const prototype: unknown = getPrototypeOf(value)
  if (prototype !== ObjectPrototype && prototype !== null) return unlike
  if (isArgumentsObject(value)) return refused
  if (meet(value)) return unlike
  let count = 0
  for (const key in value) {
    if (lookupGetter(value, key) !== undefined) return refused
    const verdict = lookAtValue((value as Record<string, unknown>)[key], depth)
    if (verdict !== exact) return verdict
    room -= key.length + 4
    count++
  }
  // Without properties, or without a prototype, it may well be something else than it seems.
  if ((count === 0 || prototype === null) && isExotic(value)) return unlike
  return exact
}

function lookAtArray(array: readonly unknown[], depth: number): Verdict {
  if (getPrototypeOf(array) !== ArrayPrototype || meet(array)) return unlike
  const { length } = array
  room -= length * 2
  if (room < 0) return refused
  if (length === 0) return keysOf(array).length === 0 ? exact : unlike
  // As many keys as elements, and the last one is that of the last element: no holes, nothing else.
  const keys = keysOf(array)
  if (keys.length !== length || keys[length - 1] !== `${length - 1}`) return unlike
  for (let index = 0; index < length; index++) {
    if (lookupGetter(array, index) !== undefined) return refused
    const verdict = lookAtValue(array[index], depth)
    if (verdict !== exact) return verdict
  }
  return exact
}

function lookAtValue(value: unknown, depth: number): Verdict {
  switch (typeof value) {
    case 'string':
      room -= value.length
      return room < 0 ? refused : exact
    case 'number':
      // The difference is NaN for NaN and the infinities; JSON forgets the sign of zero.
      return value - value === 0 && (value !== 0 || 1 / value > 0) ? exact : unlike
    case 'boolean':
      return exact
    case 'object':
      return value === null ? exact : look(value, depth + 1)
    case 'undefined':
    case 'bigint':
      return unlike
    case 'function':
    case 'symbol':
    default:
      return refused
  }
}

/** True for what keeps its contents elsewhere than in properties, whatever prototype it was given. */
function isExotic(value: object): boolean {
  return (
    isMap(value) ||
    isSet(value) ||
    isDate(value) ||
    isRegExp(value) ||
    isNativeError(value) ||
    isBoxedPrimitive(value) ||
    isAnyArrayBuffer(value) ||
    isView(value) ||
    isPromise(value) ||
    isWeakMap(value) ||
    isWeakSet(value) ||
    isMapIterator(value) ||
    isSetIterator(value) ||
    isGeneratorObject(value) ||
    isModuleNamespaceObject(value) ||
    isExternal(value) ||
    isRawJson(value)
  )
}

const { isRawJSON } = JSON as { isRawJSON?: (value: unknown) => boolean }
/** What `JSON.rawJSON` makes, on a Node that has it: `JSON.stringify` gives its text as it is. */
const isRawJson: (value: unknown) => boolean = isRawJSON ?? (() => false)
