/**
 * Arbitrary values, with the kinds of things that are in them.
 *
 * @module
 */
import fc from 'fast-check'

/** A class that nobody knows. */
export class Point {
  x = 1
}

/** A value, and the kinds of things in it. */
export interface Sample {
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
/** A buffer that can grow. */
export const resizable = (size: number): ArrayBuffer =>
  new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(size, {
    maxByteLength: 16,
  })

/** All of them that every Node has. */
export const typedArrays = [
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

/** Any value. */
export const { any } = fc.letrec<{ any: Sample }>((tie) => {
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
