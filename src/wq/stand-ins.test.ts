import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UserWorkerError } from '../errors.js'
import { explainReference, functionOf } from './inline.js'
import { standInsFor } from './stand-ins.js'
import { esbuild, istanbul, swc, tsc, tsx, vitest } from './stand-ins.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const run = (source: string, ...args: unknown[]): unknown => functionOf(source, 'f')(...args)

/** The message of the error that names what is missing. */
async function missing(source: string, ...args: unknown[]): Promise<string> {
  try {
    await run(source, ...args)
  } catch (error) {
    const explained = explainReference(error, source)
    assert.ok(explained instanceof UserWorkerError, String(error))
    assert.equal(explained.code, 'ERR_FREE_NAME')
    return explained.message
  }
  return 'nothing is missing'
}

describe('a function that a compiler has changed', () => {
  test('keeps names, fields and private members', () => {
    for (const { named } of [tsx, esbuild]) {
      assert.deepEqual(run(named, [1, 2]), [12, 1, 'double', 'inner'])
    }
  })

  test('keeps rest, spread, powers and async', async () => {
    for (const { rest } of [tsx, esbuild, swc, tsc]) {
      assert.deepEqual(await run(rest, 4), { b: 4, c: 2, d: 3, e: 16 })
    }
  })

  test('disposes of what it uses, in reverse order, at its end', () => {
    for (const { closes } of [tsx, swc, tsc]) {
      assert.deepEqual(run(closes, []), ['body', 'b', 'a'])
    }
  })

  test('disposes of what it awaits too, and tells every error', async () => {
    for (const { closesLater } of [tsx, esbuild, swc, tsc]) {
      const seen: string[] = []
      await assert.rejects(run(closesLater, seen) as Promise<void>, (error: Error) => {
        const { error: one, suppressed } = error as unknown as Record<string, Error>
        assert.deepEqual(
          [error.name, one?.message, suppressed?.message],
          ['SuppressedError', 'b', 'body'],
        )
        return true
      })
      assert.deepEqual(seen, ['a'])
    }
  })

  test('disposes of what it awaits, also where that fails or is nothing', async () => {
    const source = `async (seen) => {
      const stack = []
      let error, failed = false
      try {
        __using(stack, null, true)
        __using(stack, { [Symbol.asyncDispose]: async () => { throw new Error('later') } }, true)
        __using(stack, { [Symbol.asyncDispose]() { throw new Error('at once') } }, true)
        for (const wrong of [1, {}]) {
          try { __using(stack, wrong) } catch (refused) { seen.push(refused.message) }
        }
      } catch (caught) { error = caught; failed = true } finally {
        const disposed = __callDispose(stack, error, failed)
        disposed && await disposed
      }
    }`
    const seen: string[] = []
    await assert.rejects(run(source, seen) as Promise<void>, (error: Error) => {
      const { error: one, suppressed } = error as unknown as Record<string, Error>
      assert.deepEqual([one?.message, suppressed?.message], ['later', 'at once'])
      return true
    })
    assert.deepEqual(seen, ['Object expected', 'Object not disposable'])
  })

  test('keeps private methods, setters and whether an object has a member', () => {
    const source = `() => {
      const fields = new WeakMap(), methods = new WeakSet()
      const seen = []
      const one = {}, other = {}
      __privateAdd(one, fields, 1)
      __privateAdd(one, methods)
      __privateSet(one, fields, 2)
      __privateSet(one, methods, 3, function (value) { seen.push(value, this === one) })
      seen.push(__privateGet(one, fields), __privateGet(one, methods, () => 4))
      seen.push(__privateMethod(one, methods, () => 5)(), __privateIn(fields, one), __privateIn(fields, other))
      try { __privateGet(other, fields) } catch (error) { seen.push(error.name) }
      return seen
    }`
    assert.deepEqual(run(source), [3, true, 2, 4, 5, true, false, 'TypeError'])
  })

  test('imports while it runs', async () => {
    for (const { dynamic } of [tsx, vitest]) assert.equal(await run(dynamic, '/a/b'), 'b')
  })

  test("goes on without a coverage tool's counters", () => {
    assert.equal(run(istanbul, 5), 2)
    assert.equal(run(istanbul, { x: 3, valueOf: () => 9 }), 3)
    assert.equal(run(istanbul, 1, 7), 7)
  })

  test('says what is missing as it was written: an import', async () => {
    assert.match(await missing(tsx.imported, 'x'), /refers to 'basename', which is outside/)
    assert.match(await missing(esbuild.imported, 'x'), /refers to 'basename', which is outside/)
    for (const { imported } of [vitest, tsc]) {
      assert.match(await missing(imported, 'x'), /an import \('basename'\), .*Import it inside/)
    }
    assert.match(await missing('() => __vi_import_0__.default(1)'), /an import, which is outside/)
    assert.match(await missing('() => __vite_ssr_import_meta__.url'), /'import\.meta', which/)
  })

  test("says what is missing of the compiler's own", async () => {
    for (const [{ counts }, name] of [
      [esbuild, '__asyncGenerator'],
      [tsc, '__asyncGenerator'],
      [swc, '_wrap_async_generator'],
    ] as const) {
      const message = await missing(counts, 3)
      assert.ok(message.startsWith(`The function calls '${name}', which its compiler`), message)
      assert.match(message, /ES2022/)
    }
  })
})

describe('the stand-ins', () => {
  test('are those that the text mentions, and no others', () => {
    const names = (source: string): string[] => [...standInsFor(source).keys()]
    assert.deepEqual(names('() => __name(() => __pow(a, 2), "x")'), ['__name', '__pow'])
    assert.deepEqual(names('() => a.__name + $__name + __names + this.#__name'), [])
    assert.deepEqual(names('() => cov_1ab2c().s[0]++'), ['cov_1ab2c'])
    assert.deepEqual(names('(a) => a'), [])
  })

  test('are hidden by what the function declares itself', () => {
    assert.equal(run('(__name) => __name', 1), 1)
    assert.equal(run('() => { const __rest = 2; return __rest }'), 2)
  })

  test('keep private members private, and refuse what cannot be disposed of', () => {
    assert.throws(() => run('(a) => __privateGet({}, a)', new WeakMap()), TypeError)
    for (const wrong of [1, {}]) {
      assert.throws(() => run('(a) => __using([], a)', wrong), TypeError)
    }
  })

  test('reject with what an async function throws', async () => {
    const source =
      '() => __async(null, null, function* () { yield Promise.reject(new RangeError()) })'
    await assert.rejects(run(source) as Promise<void>, RangeError)
  })
})
