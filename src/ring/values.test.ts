import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { MessageChannel } from '../os/thread.js'
import { answerOf } from '../worker/answer.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { assertAlike } from './alike.fixture.js'
import {
  Announced,
  assertCrosses,
  assertRefused,
  bytes,
  crossed,
  most,
  posted,
} from './crossing.fixture.js'
import { keep, pack, read, write } from './index.js'
import { any, Point, resizable, typedArrays } from './samples.fixture.js'

checkForLeaks()

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
  cause: (inner: unknown) => Object.assign(new Error('e', { cause: inner }), { stack: '' }),
}

describe('what crosses', () => {
  test('each value that is no object does, alone and in a list', () => {
    const all = [null, undefined, true, false, 0, -1, 1.5, 'a', 'ä', 'Ω', 7n]
    for (const value of all) assertCrosses(value)
    assertCrosses(...all)
  })

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
    all.push(new ArrayBuffer(4), new Int16Array(2), new DataView(new ArrayBuffer(2)))
    for (const value of all as object[])
      for (const prototype of [Object.prototype, null, Array.prototype, Point.prototype])
        for (const own of [{}, { own: 1 }])
          assertCrosses(Object.assign(Object.setPrototypeOf(value, prototype) as object, own))
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

describe('another thread', () => {
  test('reads all that was packed, also on a small stack', async () => {
    const shared = new Announced()
    const buffer = new SharedArrayBuffer(4)
    const lists = [
      ...Object.values(plainKinds).map((make) => [nested(100, make)]),
      [nested(199, plainKinds.object)],
      [nested(199, plainKinds.array), /structured/],
      ['text', { id: 1 }, new Uint8Array([1, 2]), 'ключ'],
      [buffer, new Uint8Array(buffer)],
    ]
    const places: [at: number, byteLength: number][] = []
    const all = new Uint8Array(new SharedArrayBuffer(1 << 20))
    let at = 0
    for (const values of lists) {
      const packed = pack(values, most, shared) ?? assert.fail()
      write(packed, all, at)
      places.push([at, packed.byteLength])
      at += (packed.byteLength + 7) & ~7
    }
    const answers = await answerOf<unknown[]>(
      `async ({ url, all, places, buffers }) => {
        const { read } = await import(url)
        const shared = { bufferOf: (number) => buffers[number] }
        return places.map(([at, byteLength]) => read(all, at, byteLength, shared))
      }`,
      {
        data: {
          url: new URL('index.js', import.meta.url).href,
          all,
          places,
          buffers: shared.buffers,
        },
        resourceLimits: { stackSizeMb: 1 },
      },
    )
    for (const [index, values] of lists.entries()) assertAlike(answers[index], posted(values))
  })
})

describe('what is packed', () => {
  const shared = new Announced()

  test('is written in any order', () => {
    const lists = [[{ a: 1 }], [{ b: 'x' }], ['scalar', 1], [new Map([[1, { c: 2 }]])], [/re/]]
    const packed = lists.map((values) => pack(values, most, shared))
    for (const [index, values] of [...lists.entries()].toReversed()) {
      const one = packed[index]
      assert.ok(one !== undefined && one !== null)
      write(one, bytes, 0)
      assertAlike(read(bytes, 0, one.byteLength, shared), posted(values))
    }
  })

  test('does not change any more once it is kept', () => {
    const [list, object, array] = [[1, 'a'], { a: [1] }, new Uint8Array([1, 2, 3])]
    const wanted = posted([list.slice(), [object, array]]) as unknown[][]
    const packed = [list, [object, array]].map((values) => pack(values, most, shared))
    const kept = packed.map((one) => keep(one ?? assert.fail()))
    list[0] = 9
    object.a = [9]
    array.fill(9)
    for (const [index, one] of kept.entries()) {
      write(one, bytes, 0)
      assertAlike(read(bytes, 0, one.byteLength, shared), wanted[index])
    }
  })

  test('crosses also when each object has other keys, and what is remembered of keys is bounded', () => {
    for (let round = 0; round < 12_000; round++) {
      const value = {
        [`first ${round}`]: 1,
        [`second ${round}`]: { [`third ${round % 900}`]: 'x' },
      }
      assert.deepEqual(crossed([value, { id: round }]), [value, { id: round }])
    }
    const keys = ['__proto__', 'constructor', 'toString', 'ключ', '\ud800']
    const entries = keys.map((key) => [key, 1] as const)
    for (let count = 0; count <= keys.length; count++)
      assertCrosses(Object.fromEntries(entries.slice(count)))
    const table: Record<string, number> = Object.fromEntries(entries)
    for (let index = 0; index < 100; index++) table[`key ${index}`] = index
    assertCrosses(table)
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
