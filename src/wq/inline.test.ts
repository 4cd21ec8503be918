import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runInThisContext } from 'node:vm'
import fc from 'fast-check'
import { UserWorkerError } from '../errors.js'
import { explainReference, functionOf, sourceOf, type InlineFunction } from './inline.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

/** As the worker gets it. */
const sent = (fn: unknown, name = 'x'): InlineFunction => functionOf(sourceOf(fn), name)

const made = (text: string): unknown => runInThisContext(text)

async function all(values: AsyncIterable<unknown> | Iterable<unknown>): Promise<unknown[]> {
  const seen = []
  for await (const each of values) seen.push(each)
  return seen
}

/** What a function gives, whether value, promise or iterator; or the message of what it throws. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const given = call()
    const isIterable =
      typeof given === 'object' &&
      given !== null &&
      'next' in given &&
      (Symbol.iterator in given || Symbol.asyncIterator in given)
    return isIterable ? await all(given as Iterable<unknown>) : await given
  } catch (error) {
    return String(error)
  }
}

type Parts = readonly [parameters: string, value: string]

/** The function behind the one member of an object. */
const member = (text: string): string =>
  `(() => {
    const unknownOutside = 'k'
    const all = Object.getOwnPropertyDescriptors({ ${text} })
    const one = all[Reflect.ownKeys(all)[0]]
    return one.value ?? one.get ?? one.set
  })()`

describe('a function that was sent as text', () => {
  test('does what it did, whatever its shape', async () => {
    const key = fc.constantFrom(
      'name',
      '"quoted name"',
      "'it\\'s'",
      '12',
      'get',
      'set',
      'async',
      'static',
      'function',
      'class',
      '__proto__',
      'constructor',
      '["computed" + 1]',
      '[Symbol.iterator]',
      '[`a${[1, "]"][1]}`]',
      '[unknownOutside]',
      'größe',
    )
    const parameters = fc.constantFrom(
      ['a, b', 'a + b'],
      ['a, b = a', 'a * b'],
      ['...list', 'list.length'],
      ['a, { b } = { b: 2 }', '[a, b]'],
      ['[a] = [], ...[b]', 'String(a) + String(b)'],
      ['a /* ) => { */', "a + '} // ]'"],
      ['a', '(() => { throw new TypeError("no " + a) })()'],
      ['', '/[/\\]}]/.test("]")'],
      ['', '`a${`}${1}`}` /* end */'],
      ['a', '[1, 2].map((x) => x + a)'],
    )
    const shape = fc.constantFrom(
      (_: string, [list, value]: Parts) => `((${list}) => (${value}))`,
      (_: string, [list, value]: Parts) => `(async (${list}) => (${value}))`,
      (_: string, [list, value]: Parts) => `(function (${list}) { return ${value} })`,
      (_: string, [list, value]: Parts) =>
        `(async function named(${list}) { await 0; return ${value} })`,
      (_: string, [list, value]: Parts) => `(function* (${list}) { yield 1; yield ${value} })`,
      (_: string, [list, value]: Parts) => `(async function* (${list}) { yield ${value} })`,
      (at: string, [list, value]: Parts) => member(`${at}(${list}) { return ${value} }`),
      (at: string, [list, value]: Parts) => member(`async ${at}(${list}) { return ${value} }`),
      (at: string, [list, value]: Parts) => member(`*${at}(${list}) { yield ${value} }`),
      (at: string, [list, value]: Parts) => member(`async *${at}(${list}) { yield ${value} }`),
      (at: string) => member(`get ${at}() { return 7 }`),
      (at: string) => member(`set ${at}(value) { value.seen = 1 }`),
    )
    const args = fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant({})), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(shape, key, parameters, args, async (text, at, rest, list) => {
        const original = made(`'use strict';${text(at, rest)}`)
        const copy = sent(original)
        const [one, other] = [structuredClone(list), structuredClone(list)]
        const expected = await outcome(() => (original as InlineFunction)(...one))
        assert.deepEqual(await outcome(() => copy(...other)), expected)
        assert.deepEqual(other, one)
      }),
      { numRuns: 600 },
    )
  })

  test('has no this, no surroundings, and is strict', () => {
    for (const text of [
      '(() => this)',
      '(function () { return this })',
      '({ m() { return this } }).m',
    ]) {
      assert.equal(sent(made(text))(), undefined)
    }
    assert.throws(() => sent(made('((a) => { undeclared = a })'))(1), ReferenceError)
  })

  test('keeps what its own scopes declare: classes, private names, nested arguments', () => {
    const fn = (list: number[]): number => {
      class Sum {
        #sum = 0
        static made = 0
        add(n: number): this {
          this.#sum += n
          return this
        }
        get sum(): number {
          return this.#sum
        }
      }
      const sum = new Sum()
      for (const each of list) sum.add(each)
      return sum.sum
    }
    assert.equal(sent(fn)([1, 2, 3]), 6)
    assert.equal(sent(made('(() => (function () { return arguments.length })(1, 2))'))(), 2)
    assert.equal(sent(made('(function () { return (() => arguments.length)() })'))(1, 2, 3), 3)
  })

  test('imports what Node and packages give', async () => {
    const fn = made('(async (path) => (await import("node:path")).basename(path))')
    assert.equal(await sent(fn)('/a/b'), 'b')
  })

  test('is named in stack traces, with its own lines', () => {
    const fn = function sum(): string {
      return String(new Error('here').stack)
    }
    const lines = String(sent(fn, 'my sum\n(1)')()).split('\n')
    assert.match(lines[1] ?? '', /^ +at sum \(inline:my-sum-1-:\d:\d+\)$/)
    assert.match(String(sent(made('(() => new Error().stack)'), '')()), /inline:function:1:\d+/)
    const third = made('(() =>\n\n new Error().stack)')
    assert.match(String(sent(third)()), /inline:x:3:\d+/)
  })
})

describe('a function that cannot be sent', () => {
  const refused = (fn: unknown, message: RegExp): void =>
    assert.throws(() => sourceOf(fn), { name: 'TypeError', code: 'EINVAL', message })

  test('is refused: what is no function, native, bound, a proxy', () => {
    for (const fn of [null, 1, {}, 'a => a']) refused(fn, /must be a function/)
    const bound = (): void => {}
    for (const fn of [Math.max, bound.bind(null), new Proxy(bound, {}), Map]) {
      refused(fn, /has no text to send: it is bound, a proxy, or native/)
    }
  })

  test('is refused: a class; but not a method of that name, nor a frozen function', () => {
    refused(made('(class Some {})'), /'Some' is a class/)
    refused(made('(class {})'), /is a class/)
    assert.equal(sent(made('({ class(a) { return a } }).class'))(1), 1)
    assert.equal(sent(Object.freeze(made('(function (a) { return a })')))(1), 1)
  })

  test('is refused: what means nothing outside its place', () => {
    const cannot = /cannot be taken out of its place: /
    refused(made('(class { static f = () => super.toString() }).f'), cannot)
    refused(made('(class { static #p = 1; static f() { return this.#p } }).f'), /#p/)
    refused(
      made('(function () { return () => arguments })()'),
      /'arguments' of the function around/,
    )
    refused(() => import.meta.url, /import\.meta/)
    refused(made('(function () { with ({}) {} })'), /[Ss]trict mode/)
  })
})

describe('a name outside the function', () => {
  /** The explained error of a call. */
  async function failure(text: string, ...args: unknown[]): Promise<unknown> {
    const source = sourceOf(made(text))
    try {
      const given = functionOf(source, 'f')(...args)
      await (typeof given === 'object' && given !== null && 'next' in given
        ? all(given as unknown as Iterable<unknown>)
        : given)
    } catch (error) {
      return explainReference(error, source)
    }
    return null
  }

  test('is told, wherever it stands, at once, later, or in an iterator', async () => {
    for (const text of [
      '(() => outside)',
      '(() => outside.property)',
      '(() => outside?.property)',
      '(() => outside(1))',
      '(() => new outside.Class())',
      '(() => { outside = 1 })',
      '(() => { outside++ })',
      '(() => `${outside}`)',
      '(() => ({ outside }))',
      '((a = outside) => a)',
      '(() => [1].map(() => outside))',
      '(() => { class A extends outside {} })',
      '(function named() {\n\n  return outside\n})',
      '({ m() { return outside } }).m',
      '(async () => { await null; return outside })',
      '(async () => { await outside })',
      '(async () => { await new Promise((r) => setImmediate(r)); outside() })',
      '(function* () { yield outside })',
      '(async function* () { yield 1; yield outside })',
    ]) {
      const error = await failure(text)
      assert.ok(error instanceof UserWorkerError, text)
      assert.equal(error.code, 'ERR_FREE_NAME')
      assert.ok(error.cause instanceof ReferenceError)
      assert.equal(
        error.message,
        "The function refers to 'outside', which is outside it: an inline function sees only its " +
          'arguments and globals. Pass it as an argument, or put the function into a module',
      )
    }
  })

  test('is told with a remedy that fits: require, an import', async () => {
    assert.match(String(await failure('(() => require("fs"))')), /'require'.*`await import\(…\)`/)
    assert.match(String(await failure('(() => __dirname)')), /'__dirname'.*Pass it/)
  })

  test('is not told where the error has another reason', async () => {
    const inner = (): never => {
      throw new ReferenceError('inner is not defined')
    }
    for (const [text, arg] of [
      ['(() => { const a = b; let b })', null],
      ['((inner) => inner())', inner],
      ['(() => { throw new ReferenceError("outside is not defined") })', null],
      ['(() => { throw new TypeError("outside is not defined") })', null],
      ['(() => { (0, eval)("outside") })', null],
      ['(() => { throw "outside is not defined" })', null],
      ['(() => { throw Object.assign(new Error(), { stack: 1 }) })', null],
    ] as const) {
      const error = await failure(text, arg)
      assert.ok(error !== null && !(error instanceof UserWorkerError), text)
    }
    const own = new ReferenceError('x is not defined')
    assert.equal(explainReference(own, '() => x'), own)
  })
})
