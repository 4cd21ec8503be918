import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { UserWorkerError } from '../errors.js'
import { errorOf, reportOf, thrownOf } from './error-report.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

/** There and back again, by way of a structured clone as a message makes it. */
const across = (thrown: unknown): unknown => thrownOf(structuredClone(reportOf(thrown)))

class CustomError extends RangeError {
  override name = 'CustomError'
  code = 'E_CUSTOM'
  details = { list: [1, 2] }
}

describe('an error that crosses threads', () => {
  test('keeps class, name, message, code, own properties, cause and stack', () => {
    const error = new CustomError('no', { cause: new TypeError('why') })
    const back = across(error) as CustomError
    assert.ok(back instanceof RangeError)
    assert.deepEqual(
      [back.name, back.message, back.code, back.details],
      ['CustomError', 'no', 'E_CUSTOM', { list: [1, 2] }],
    )
    assert.ok(back.cause instanceof TypeError)
    assert.equal(back.cause.message, 'why')
    assert.equal(back.stack, error.stack)
  })

  test('says what it can of what refuses to be looked at', () => {
    const refuse = (): never => {
      throw new Error('not to be asked')
    }
    const traps = { get: refuse, getPrototypeOf: refuse, has: refuse, ownKeys: refuse }
    for (const thrown of [new Proxy(new Error('e'), traps), new Proxy({}, traps)])
      assert.ok(reportOf(thrown).nodes.length === 1)
    const bare = Object.setPrototypeOf(new TypeError('of no class'), null) as unknown
    assert.ok(structuredClone(reportOf(bare)).nodes.length > 0)
    const { proxy, revoke } = Proxy.revocable(new Error('e'), {})
    revoke()
    assert.ok(across(proxy) !== undefined)
  })

  test('says what it is also where only its properties, or its class, refuse to be looked at', () => {
    const refuse = (): never => {
      throw new Error('not to be asked')
    }
    const guarded = across(new Proxy(new TypeError('guarded'), { ownKeys: refuse })) as Error
    assert.ok(guarded instanceof Error)
    assert.match(guarded.message, /TypeError: guarded/)
    const parent = new Proxy(TypeError.prototype, { getPrototypeOf: refuse, get: () => 'hidden' })
    const own = Object.assign(new Error('of no class that shows'), { code: 'E_OWN' })
    const classless = across(Object.setPrototypeOf(own, parent)) as typeof own
    assert.deepEqual(
      [Object.getPrototypeOf(classless), classless.message, classless.code],
      [Error.prototype, 'of no class that shows', 'E_OWN'],
    )
  })

  test('keeps own properties of every kind that nests', () => {
    const own = { map: new Map([[1, new Set([2])]]), bytes: new Uint8Array([1, 2]) }
    const back = across(Object.assign(new Error('e'), own)) as Error & typeof own
    assert.deepEqual([back.map, back.bytes], [own.map, own.bytes])
  })

  test('keeps every built-in class', () => {
    const all = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]
    for (const Class of all)
      assert.equal(Object.getPrototypeOf(across(new Class('x'))), Class.prototype)
  })

  test('keeps the errors of an AggregateError, and errors in own properties', () => {
    const inner = new RangeError('inner')
    const back = across(
      Object.assign(new AggregateError([inner, 'text'], 'many'), { first: inner }),
    ) as AggregateError
    assert.ok(back instanceof AggregateError)
    assert.ok(back.errors[0] instanceof RangeError)
    assert.equal(back.errors[1], 'text')
    assert.equal(
      (back as unknown as { first: unknown }).first,
      back.errors[0],
      'the same error stays the same',
    )
  })

  test('keeps a DOMException and an error of ours', () => {
    const dom = across(new DOMException('gone', 'AbortError')) as DOMException
    assert.deepEqual(
      [dom.name, dom.code, dom.message, dom instanceof DOMException],
      ['AbortError', 20, 'gone', true],
    )
    const ours = across(
      new UserWorkerError('ERR_WORKER_EXITED', 'left', { exitCode: 7 }),
    ) as UserWorkerError
    assert.ok(ours instanceof UserWorkerError)
    assert.deepEqual(
      [ours.code, ours.exitCode, ours.name],
      ['ERR_WORKER_EXITED', 7, 'UserWorkerError'],
    )
  })

  test('may have itself as its cause', () => {
    const error = new Error('round')
    error.cause = error
    const back = across(error) as Error
    assert.equal(back.cause, back)
  })

  test('loses only what cannot be sent', () => {
    const error = Object.assign(new Error('x'), { method: () => {}, kept: 1 })
    Object.defineProperty(error, 'broken', { enumerable: true, get: () => assert.fail('getter') })
    const back = across(error) as Error & { kept?: number }
    assert.deepEqual([back.kept, 'method' in back], [1, false])
  })

  test('may be longer than a stack is deep', () => {
    let error = new Error('last')
    for (let depth = 0; depth < 9_999; depth++) error = new Error('above', { cause: error })
    const lastOf = (back: unknown): string => {
      let at = back as Error
      while (at.cause instanceof Error) at = at.cause
      return at.message
    }
    assert.equal(lastOf(across(error)), 'last')
    assert.equal(lastOf(across(new Error('one too many', { cause: error }))), 'above')
  })

  test('loses own properties that are nested too deep for another thread to read', () => {
    let deep: object = {}
    for (let depth = 0; depth < 100; depth++) deep = { deep }
    const back = across(Object.assign(new Error('x'), { deep, flat: { a: [{ b: 1 }] } }))
    assert.equal('deep' in (back as object), false)
    assert.deepEqual((back as { flat?: unknown }).flat, { a: [{ b: 1 }] })
  })

  test('may refuse to be looked at, or give something else at each look', () => {
    const refuse = (): never => {
      throw new Error('trap')
    }
    const traps = { get: refuse, getPrototypeOf: refuse, ownKeys: refuse }
    let looks = 0
    const fickle = Object.defineProperty(new Error('fickle'), 'own', {
      enumerable: true,
      get: () => (looks++ === 0 ? { a: 1 } : () => {}),
    })
    const odd = [
      new Proxy(new Error('x'), traps),
      new Proxy({}, traps),
      Object.assign(new Error('x'), { name: {}, toString: null }),
      Object.defineProperty(new Error('x'), 'message', { value: null }),
      Object.defineProperty(new Error('x'), 'stack', { get: refuse }),
      { [Symbol.for('nodejs.util.inspect.custom')]: refuse, f: () => {} },
      fickle,
    ]
    for (const value of odd) assert.doesNotThrow(() => across(value))
    assert.deepEqual((across(new Error('x', { cause: fickle })) as Error).message, 'x')
  })

  test('may be anything that was thrown', () => {
    for (const value of ['text', 7, null, undefined, { a: 1 }])
      assert.deepEqual(across(value), value)
    assert.equal(across(Symbol('s')), 'Symbol(s)')
    assert.match(errorOf(reportOf('text')).message, /'text'/)
  })

  test('keeps any nesting of names, messages, properties and causes', () => {
    const plain = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string()))
    const key = fc.string({ minLength: 1 }).map((text) => `own ${text}`)
    const errors = fc.letrec<{ error: Error }>((tie) => ({
      error: fc
        .tuple(
          fc.constantFrom(Error, TypeError, RangeError),
          fc.string(),
          fc.dictionary(key, plain),
          fc.option(tie('error'), { depthSize: 'small' }),
        )
        .map(([Class, message, own, cause]) => Object.assign(new Class(message, { cause }), own)),
    })).error
    fc.assert(
      fc.property(errors, (error) => {
        assert.deepEqual(across(error), error)
      }),
    )
  })
})
