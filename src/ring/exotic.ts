/**
 * What is more than its properties, whatever prototype it was given.
 *
 * @module
 */
import {
  isAnyArrayBuffer,
  isArgumentsObject,
  isBoxedPrimitive,
  isDate,
  isExternal,
  isGeneratorObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isPromise,
  isRawJSON,
  isRegExp,
  isSet,
  isSetIterator,
  isView,
  isWeakMap,
  isWeakSet,
  tagOf,
} from './builtins.js'

/**
 * Deeper nesting goes by message. V8 reads nested values by recursion, and 200 levels fit a stack of
 * half a megabyte (measured); data that people write is not a tenth as deep.
 */
export const mostDepth = 200

/**
 * A quick look at an object with the prototype of plain ones; false if it needs a better one. Known
 * to get by: what V8 cannot clone (a promise, an iterator) and was given that prototype and properties.
 */
export function seemsPlain(value: object): boolean {
  if (isView(value) || isMap(value) || isSet(value) || isAnyArrayBuffer(value)) return false
  // A tag of its own might be a getter, which is not to be called.
  return !(Symbol.toStringTag in value) && tagOf(value) === '[object Object]'
}

/** True for what keeps its contents elsewhere than in properties, or cannot be cloned. */
export function isExotic(value: object): boolean {
  return (
    isArgumentsObject(value) ||
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
    isRawJSON(value)
  )
}
