import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { drain, MessageChannel } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { assertAlike } from './alike.fixture.js'
import { keep, pack, read, write, type SharedBuffers, type SharedBuffersByNumber } from './index.js'

checkForLeaks()

/** More than the memory that Node cuts small Buffers from, which crosses as a whole. */
const most = 1 << 17
const bytes = new Uint8Array(new SharedArrayBuffer(1 << 18))

/** Shared buffers of one test, on both sides. */
class Announced implements SharedBuffers, SharedBuffersByNumber {
  readonly buffers: SharedArrayBuffer[] = []

  numberOf(buffer: SharedArrayBuffer): number {
    const number = this.buffers.indexOf(buffer)
    return number < 0 ? this.buffers.push(buffer) - 1 : number
  }

  bufferOf(number: number): SharedArrayBuffer {
    return this.buffers[number] as SharedArrayBuffer
  }
}

/** What comes out of shared memory; null if the values must go by message. */
function crossed(values: readonly unknown[], kept = false): unknown[] | null {
  const shared = new Announced()
  const packed = pack(values, most, shared)
  if (packed === null) return null
  assert.ok(packed.byteLength <= most)
  bytes.fill(0xa5)
  write(kept ? keep(packed) : packed, bytes, 64)
  for (const at of [63, 64 + packed.byteLength]) assert.equal(bytes[at], 0xa5, 'written outside')
  const got = read(bytes, 64, packed.byteLength, shared)
  bytes.fill(0x5a)
  return got
}

/** What `postMessage` makes of the values. */
function posted(values: unknown): unknown {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(values)
    const messages: unknown[] = []
    drain(port2, (message) => messages.push(message))
    return messages[0]
  } finally {
    port1.close()
  }
}

function assertCrosses(...values: unknown[]): void {
  for (const kept of [false, true]) {
    const got = crossed(values, kept)
    assert.notEqual(got, null, 'goes by message')
    assertAlike(got, posted(values))
  }
}

function assertRefused(...values: unknown[]): void {
  assert.equal(crossed(values), null)
}

class Point {
  x = 1
}

/** A value, and the kinds of things in it. */
interface Sample {
  readonly value: unknown
  readonly kinds: ReadonlySet<string>
}

const leaf = (kind: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  values.map((value) => ({ value, kinds: new Set([kind]) }))

const containing = (
  kind: string,
  inner: fc.Arbitrary<Sample>,
  make: (values: unknown[]) => unknown,
): fc.Arbitrary<Sample> =>
  fc.array(inner, { maxLength: 4 }).map((samples) => ({
    value: make(samples.map(({ value }) => value)),
    kinds: new Set([kind, ...samples.flatMap(({ kinds }) => [...kinds])]),
  }))

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'id', '__proto__', 'toJSON', 'constructor', 'ключ', '0', '17', ''),
  fc.string({ unit: 'binary' }),
)
const resizable = (size: number): ArrayBuffer =>
  new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(size, {
    maxByteLength: 16,
  })

const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]
const view = fc
  .tuple(fc.constantFrom(DataView, ...typedArrays), fc.nat(3), fc.nat(3), fc.nat(9))
  .map(([View, before, behind, length]) => {
    const size = 'BYTES_PER_ELEMENT' in View ? View.BYTES_PER_ELEMENT : 1
    const buffer = new ArrayBuffer(size * (before + length + behind))
    new Uint8Array(buffer).forEach((_, index, all) => (all[index] = index * 7))
    return new (View as Uint8ArrayConstructor)(buffer, size * before, length)
  })

const scalar = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, -0, NaN, Infinity, -Infinity, 2 ** 31),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom('\ud800', '\udc00\ud800', '\0', '"\\', 'ÿ', 'Ā', 'x'.repeat(5000)),
  fc.string({ minLength: 1, maxLength: 5 }).map((part) => part.repeat(100)),
)

const { any } = fc.letrec<{ any: Sample }>((tie) => {
  const inner = tie('any')
  return {
    any: fc.oneof(
      { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
      leaf('scalar', scalar),
      leaf('text', text),
      leaf('view', view),
      leaf(
        'buffer',
        fc.uint8Array().map(({ buffer }) => buffer),
      ),
      leaf('date', fc.date({ noInvalidDate: false })),
      leaf('boxed', fc.constantFrom<unknown>(Object(1), Object('s'), Object(true), Object(1n))),
      leaf(
        'regexp',
        fc.nat(9).map((lastIndex) => Object.assign(/a(?<b>.)/giu, { lastIndex })),
      ),
      leaf('function', fc.constantFrom<unknown>(Math.max, Symbol('s'), Date)),
      leaf('resizable', fc.nat(9).map(resizable)),
      containing('array', inner, (values) => values),
      containing('holes', inner, (values) => [, ...values]), // eslint-disable-line no-sparse-arrays
      containing('extra', inner, (values) => Object.assign([1], { extra: values })),
      containing('map', inner, (values) => new Map(values.map((value, index) => [value, index]))),
      containing('map', inner, (values) => new Map(values.map((value, index) => [index, value]))),
      containing('set', inner, (values) => new Set(values)),
      containing('twice', inner, (values) => ({ one: values, other: values, all: [...values] })),
      containing('cycle', inner, (values) => {
        const cycle: Record<string, unknown> = { values }
        return Object.assign(cycle, { self: cycle, map: new Map([[cycle, values]]) })
      }),
      containing('error', inner, ([cause, ...more]) =>
        Object.assign(new RangeError('no', { cause }), { more }),
      ),
      containing('instance', inner, (values) => Object.assign(new Point(), values)),
      containing('accessor', inner, ([value]) => ({
        get read() {
          return value
        },
      })),
      containing('proxy', inner, (values) => new Proxy(values, {})),
      fc.array(fc.tuple(names, inner), { maxLength: 5 }).map((entries) => ({
        value: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
        kinds: new Set(['object', ...entries.flatMap(([, { kinds }]) => [...kinds])]),
      })),
      fc.array(fc.tuple(names, inner), { maxLength: 3 }).map((entries) => ({
        value: Object.assign(
          Object.create(null) as object,
          Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
        ),
        kinds: new Set(['null', ...entries.flatMap(([, { kinds }]) => [...kinds])]),
      })),
    ),
  }
})

/** What may go by message; everything else must cross. */
const refusable = new Set(['function', 'instance', 'accessor', 'proxy'])

describe('a list of values', () => {
  test('comes out of shared memory as postMessage gives it, or goes by message', () => {
    const list = fc.array(any, { maxLength: 4 })
    const property = fc.property(list, fc.boolean(), (samples, kept) => {
      const values = samples.map(({ value }) => value)
      const got = crossed(values, kept)
      if (got !== null) assertAlike(got, posted(values))
      else
        assert.ok(
          samples.some(({ kinds }) => [...kinds].some((kind) => refusable.has(kind))),
          'refused without need',
        )
    })
    fc.assert(property, { numRuns: 3000 })
  })
})

/** A chain of so many objects, each made around the next one. */
function nested(depth: number, around: (inner: unknown) => unknown): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = around(value)
  return value
}

const plainKinds = {
  object: (inner: unknown) => ({ inner }),
  array: (inner: unknown) => [inner],
  map: (inner: unknown) => new Map([[inner, 1]]),
  cause: (inner: unknown) => new Error('e', { cause: inner }),
}

describe('what crosses', () => {
  test('one object that is there twice comes back as one', () => {
    const [object, array, buffer] = [{ a: 1 }, [1], new ArrayBuffer(16)]
    assertCrosses(object, object)
    assertCrosses(array, { array })
    assertCrosses(new Uint8Array(buffer), new Uint16Array(buffer), buffer, new DataView(buffer, 8))
    const part = new Uint8Array(buffer, 3, 5)
    assertCrosses(part, [part])
    assertCrosses(Array.from({ length: 100 }, (_, index) => ({ index })))
    const many = Array.from({ length: 100 }, (_, index) => ({ index }))
    assertCrosses([...many, many[99], many[0]])
  })

  test('part of a buffer comes with all of it, as by message', () => {
    const pooled = Buffer.from('pooled')
    assertCrosses(pooled)
    assertCrosses(Buffer.alloc(100, 1), Buffer.alloc(0), new Uint8Array(0), new ArrayBuffer(0))
    for (const View of typedArrays) assertCrosses(new View(8), new View(0), [new View(3)])
    assertCrosses(new DataView(new ArrayBuffer(5)), resizable(8), new Uint8Array(resizable(8)))
    assertCrosses(new Uint8Array(resizable(8), 4), new DataView(resizable(8), 1, 2))
  })

  test('a view is what it is, whatever its prototype and properties say', () => {
    const forged = Object.setPrototypeOf(new Float64Array([1.5]), Uint8Array.prototype) as object
    assertCrosses(forged)
    const own = Object.defineProperties(new Uint8Array(4), {
      byteLength: { value: 2 },
      buffer: { value: new ArrayBuffer(2) },
    })
    assertCrosses(own)
    assertCrosses(new (class extends Uint8Array {})(4))
  })

  test('an object is what it is, whatever its prototype says', () => {
    const all = [new Map([[1, 2]]), new Set([1]), new Date(5), /x/g, Object(1), Object('s')]
    for (const value of all as object[])
      for (const prototype of [Object.prototype, null, Array.prototype, Point.prototype])
        assertCrosses(Object.setPrototypeOf(value, prototype))
    const refused = [Promise.resolve(), new WeakMap(), new Map().keys(), (function* empty() {})()]
    for (const value of refused as object[])
      assertRefused(Object.setPrototypeOf(value, Object.prototype))
    const exotic = (function given() {
      // oxlint-disable-next-line prefer-rest-params -- an arguments object is what is to be sent
      return arguments
    })()
    assertRefused(exotic)
    assertCrosses(Object.prototype, Array.prototype)
  })

  test('shared memory stays shared, one buffer for all that look at it', () => {
    const [shared, other] = [new SharedArrayBuffer(8), new SharedArrayBuffer(16)]
    const list = [shared, new Uint8Array(shared, 2, 3), { other: new Float64Array(other) }]
    assertCrosses(...list)
    const [got] = crossed(list) as [SharedArrayBuffer]
    new Uint8Array(shared)[0] = 7
    assert.equal(new Uint8Array(got)[0], 7)
    // What happens to look like the mark of a shared buffer is left alone.
    for (let round = 0; round < 4; round++)
      crossed([shared, new Uint8Array([0x75, 0x90, 0xee, 0xb0, 0xad, 0x01]).fill(0, 0, round)])
  })

  test('objects of another realm come back as of this one', () => {
    const context = createContext({})
    for (const source of ['({ a: [1, { b: 2 }] })', '[1, 2]', 'new Map([[1, 2]])', 'new Date(1)']) {
      const value: unknown = runInContext(source, context)
      const got = crossed([value])
      if (got !== null) assertAlike(got, posted([value]))
    }
  })

  test('sparse and long arrays cross, and so do long lists', () => {
    const sparse: unknown[] = []
    sparse[1000] = 1
    sparse[3] = undefined
    assertCrosses(sparse)
    assertCrosses(Array.from({ length: 3000 }, (_, index) => index * 1.5))
    assertCrosses(...Array.from({ length: 1000 }, (_, index) => `value ${index}`))
    assertCrosses(...Array.from({ length: 255 }, (_, index) => [index]))
    assertCrosses(/a(b)/.exec('ab'), 'abc'.match(/(?<x>b)/))
    assertCrosses(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, 1])))
  })

  test('what takes too many bytes goes by message', () => {
    assertRefused('x'.repeat(most))
    assertRefused(new Uint8Array(most))
    assertRefused({ text: 'x'.repeat(most) })
    assertRefused(new Map([[1, 'x'.repeat(most)]]))
    assertRefused('Ā'.repeat(most / 2))
    assertRefused(2n ** BigInt(most * 8))
    assertRefused(Array.from({ length: most }, () => 1))
    assertRefused(Array.from({ length: most }, () => ''))
  })

  test('nesting crosses as deep as people write it, and deeper goes by message', () => {
    for (const [kind, around] of Object.entries(plainKinds)) {
      assert.notEqual(crossed([nested(40, around)]), null, kind)
      for (const depth of [1000, 20_000]) assertRefused(nested(depth, around))
    }
  })
})

describe('code of the program', () => {
  test('a getter is not called before the message is', () => {
    let calls = 0
    const get = (): number => ++calls
    const accessor = (target: object, key: PropertyKey): object =>
      Object.defineProperty(target, key, { get, enumerable: true, configurable: true })
    assertRefused(accessor({}, 'a'))
    assertRefused({ a: 1, b: [accessor({ c: NaN }, 'd')] })
    assertRefused(accessor([1, 2], 1))
    assertRefused(new Map([[1, accessor({}, 'a')]]))
    assertRefused(accessor(new Error('e'), 'cause'))
    assertRefused(accessor(new Error('e'), 'name'))
    assertRefused(accessor(new Error('e'), 'message'))
    assertCrosses(accessor({ a: 1 }, Symbol('ignored')))
    assertCrosses(accessor(new Map(), 'ignored'), accessor(new Uint8Array(1), 'ignored'))
    assert.equal(calls, 0)
  })

  test('a proxy is refused without asking it anything', () => {
    const refuse = (): never => assert.fail('asked')
    const handler: ProxyHandler<object> = new Proxy({}, { get: () => refuse })
    for (const target of [{}, [], new Map(), () => 1]) {
      assertRefused(new Proxy(target, handler))
      assertRefused([{ a: new Proxy(target, handler) }])
      assertRefused(new Set([new Proxy(target, handler)]))
    }
  })

  test('a function or a symbol is refused, and what Node clones in its own way', () => {
    for (const value of [Math.max, Symbol('s'), Object(Symbol('s')) as object, new WeakMap()])
      for (const inside of [value, { value }, [value], new Map([[value, 1]])]) assertRefused(inside)
    const { port1 } = new MessageChannel()
    const nodes = [port1, new Blob([]), new AbortController().signal, new URL('a:b')]
    for (const value of [...nodes, new DOMException('d'), new Point()])
      for (const inside of [value, { value }, [1, value], new Set([value])]) assertRefused(inside)
    port1.close()
  })

  test('toJSON is not called', () => {
    const toJSON = (): string => assert.fail('called')
    assertCrosses({ toJSON: 1 }, { a: new Date(1) })
    assertRefused({ toJSON })
    const prototypes = [Object.prototype, Array.prototype, String.prototype, BigInt.prototype]
    for (const prototype of prototypes) {
      Object.defineProperty(prototype, 'toJSON', { value: toJSON, configurable: true })
      try {
        for (const value of [{ a: 's' }, [1], 's', 1n, { a: 1n }]) {
          const got = crossed([value])
          if (got !== null) assertAlike(got, posted([value]))
        }
      } finally {
        delete (prototype as { toJSON?: unknown }).toJSON
      }
    }
  })

  test('what is put into the prototypes does not get into values, or out of them', () => {
    const polluted = { value: 1, enumerable: true, configurable: true }
    const setter = { set: () => assert.fail('called'), configurable: true }
    for (const prototype of [Object.prototype, Array.prototype])
      for (const attributes of [polluted, { value: 1, configurable: true }, setter])
        for (const key of ['a', 'get', 'value']) {
          const values = [{ b: 1 }, { a: 1, get: 2, 0: 1 }, [1, 2], Array(1), new Map([[1, 2]])]
          Object.defineProperty(prototype, key, attributes)
          let got: unknown[] | null = null
          try {
            got = crossed(values)
          } finally {
            delete (prototype as unknown as Record<string, unknown>)[key]
          }
          if (got !== null) assertAlike(got, posted(values))
        }
  })
})
