import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Announced, assertCrosses, assertRefused, crossed } from './crossing.fixture.js'
import { keep, pack, read, write } from './index.js'

checkForLeaks()

const fits = (values: unknown[], mostBytes: number): boolean =>
  pack(values, mostBytes, new Announced()) !== null

/** An object of more keys than those whose order is remembered. */
function table(last: object): object {
  const keys = Array.from({ length: 100 }, (_, index) => [`key ${index}`, index])
  return Object.defineProperties(Object.fromEntries(keys) as object, {
    ...Object.getOwnPropertyDescriptors(last),
  })
}

describe('a value that is too large', () => {
  test('goes by message, whatever it is and wherever the limit is met', () => {
    const long = 'x'.repeat(1000)
    const values = {
      text: [long],
      number: [2n ** 4000n],
      bytes: [new Uint8Array(1000)],
      array: Array.from({ length: 1000 }, () => true),
      map: new Map(Array.from({ length: 1000 }, (_, index) => [index, true])),
      set: new Set(Array.from({ length: 1000 }, (_, index) => index)),
      table: table({ long }),
      inTable: table({ long: [long] }),
      keyInTable: table({ [long]: 1 }),
    }
    for (const [name, value] of Object.entries(values)) {
      // Beside a regular expression the whole list is V8's to write.
      for (const list of [[{ value }], [{ value }, /x/]]) {
        assert.ok(!fits(list, 500), name)
        assert.ok(fits(list, 1 << 16), name)
      }
    }
  })

  test('is one, too, where many small ones are in it', () => {
    for (const values of [
      Array.from({ length: 300 }, (_, index) => ({ [`key ${index} ${'x'.repeat(20)}`]: index })),
      Array.from({ length: 300 }, (_, index) => ({ [`key ${index}`]: index })),
    ]) {
      assertCrosses(...values)
      assert.ok(!fits(values, 1000))
    }
  })
})

describe('a value in an object of many keys', () => {
  test('goes by message where it must, as in others', () => {
    assertCrosses(table({ a: { b: 1 } }))
    assertRefused(table({ a: { b: () => 1 } }))
    const get = (): never => assert.fail('called')
    assertRefused(table(Object.defineProperty({}, 'a', { get, enumerable: true })))
  })
})

describe('a hole', () => {
  test('of a list or an array stays one, also where a property makes up for it in number', () => {
    const holes = (...rest: unknown[]): unknown[] => Object.assign(new Array(2), rest)
    assertCrosses([holes()])
    assertCrosses(Object.assign(holes(1), { key: 2 }))
    assertCrosses({ nested: Object.assign(holes(1), { key: 2 }) })
    for (const list of [holes(1), holes({ a: 1 })]) {
      const got = crossed(list)
      assert.ok(got !== null && !(1 in got) && got.length === 2)
    }
  })
})

describe('an error', () => {
  test('whose stack is a getter goes by message, and it is not called', () => {
    const get = (): never => assert.fail('called')
    assertRefused(Object.defineProperty(new Error('e'), 'stack', { get }))
  })
})

describe('arrays of every kind of number', () => {
  test('cross as themselves', () => {
    assertCrosses(new BigInt64Array([1n, -1n]), new BigUint64Array([2n ** 64n - 1n]))
  })
})

describe('what is packed', () => {
  test('is written once, unless it is kept', () => {
    const packed = pack([{ a: 1 }], 1000, new Announced())
    assert.ok(packed !== null)
    const bytes = new Uint8Array(1000)
    const kept = keep(packed)
    write(packed, bytes, 0)
    assert.throws(() => write(packed, bytes, 0), /written once/)
    write(kept, bytes, 0)
    assert.deepEqual(read(bytes, 0, kept.byteLength, new Announced()), [{ a: 1 }])
  })

  test('is nothing where the stack ends meanwhile, and the next list is whole', () => {
    let value: unknown = 1
    for (let depth = 0; depth < 60; depth++) value = { value }
    const atEnd = (): unknown => {
      try {
        return atEnd()
      } catch {
        return pack([value], 10_000, new Announced())
      }
    }
    for (let round = 0; round < 10; round++) {
      assert.equal(atEnd(), null)
      assertCrosses(value)
    }
  })

  test('is read only where it was written', () => {
    for (const byte of [0x7f, 0xa5])
      assert.throws(() => read(new Uint8Array(64).fill(byte), 0, 64, new Announced()), RangeError)
  })
})
