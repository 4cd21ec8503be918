/**
 * Whether two graphs of values are the same, for tests: in all that a program can see of them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { types } from 'node:util'
import { serialize } from 'node:v8'

/**
 * Asserts that two graphs are the same: values, prototypes, keys in their order, attributes,
 * contents, and which objects in them are one. A shared buffer is the same if its memory is.
 */
export function assertAlike(got: unknown, wanted: unknown): void {
  const partners = new Map<object, object>()
  const taken = new Set<object>()
  const todo: [unknown, unknown, string][] = [[got, wanted, 'value']]
  const compare = (one: unknown, other: unknown, path: string): void => {
    if (!isObject(one) || !isObject(other)) {
      assert.ok(Object.is(one, other), `${path}: ${String(one)} is not ${String(other)}`)
      return
    }
    const partner = partners.get(other)
    assert.equal(partner !== undefined, taken.has(one), `${path}: one object or two`)
    assert.ok(partner === undefined || partner === one, `${path}: another object`)
    if (partner !== undefined) return
    partners.set(other, one)
    taken.add(one)
    compareObjects(one, other, path, (...step) => todo.push(step))
  }
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) compare(...next)
  if ([...taken].some((one) => types.isSharedArrayBuffer(one))) return
  assert.ok(bytesOf(got).equals(bytesOf(wanted)), 'V8 serializes them differently')
}

/** Of ES2024, which every Node has that we support. */
type Resizable = ArrayBuffer & { resizable: boolean; maxByteLength: number }
type Step = [one: unknown, other: unknown, path: string]

function compareObjects(one: object, other: object, path: string, then: (...step: Step) => void) {
  assert.equal(Object.getPrototypeOf(one), Object.getPrototypeOf(other), `${path}: prototype`)
  assert.equal(Object.isExtensible(one), Object.isExtensible(other), `${path}: extensible`)
  const [from, to] = [insideOf(one), insideOf(other)]
  assert.equal(from.length, to.length, `${path}: how much is inside`)
  for (const [index, value] of from.entries()) then(value, to[index], `${path}<${index}>`)
  // The elements of a typed array are its buffer's bytes.
  if (ArrayBuffer.isView(one)) return
  assert.deepEqual(Reflect.ownKeys(one), Reflect.ownKeys(other), `${path}: keys`)
  for (const key of Reflect.ownKeys(other)) {
    const [mine, theirs] = [one, other].map((each) => Object.getOwnPropertyDescriptor(each, key))
    assert.ok(mine !== undefined && theirs !== undefined)
    then(mine.value, theirs.value, `${path}.${String(key)}`)
    for (const name of ['enumerable', 'writable', 'configurable', 'get', 'set'] as const)
      assert.equal(mine[name], theirs[name], `${path}.${String(key)}: ${name}`)
  }
}

/** What an object holds elsewhere than in properties, in its order. */
function insideOf(value: object): unknown[] {
  if (types.isMap(value)) return [...value].flat(1)
  if (types.isSet(value)) return [...value]
  if (types.isDate(value)) return ['date', value.getTime()]
  if (types.isRegExp(value)) return ['regexp', value.source, value.flags]
  if (types.isBoxedPrimitive(value)) return ['boxed', value.valueOf()]
  if (types.isNativeError(value)) return ['error', value.stack]
  if (ArrayBuffer.isView(value)) {
    const length = value instanceof DataView ? value.byteLength : (value as Uint8Array).length
    return [Object.prototype.toString.call(value), value.byteOffset, length, value.buffer]
  }
  if (types.isSharedArrayBuffer(value))
    return ['shared', value.byteLength, new Uint8Array(value)[0]]
  if (!types.isArrayBuffer(value)) return [Array.isArray(value)]
  const { resizable, maxByteLength } = value as Resizable
  return ['buffer', resizable, maxByteLength, ...new Uint8Array(value)]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** V8 writes how an array is stored; a clone of it is always stored in the same way. */
function bytesOf(value: unknown): Buffer {
  return serialize(structuredClone(value))
}
