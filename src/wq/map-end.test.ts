import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { after, describe, test } from 'node:test'
import { nextTurn } from '../os/clock.js'
import { mapOver, type Results } from './map.js'
import { noted, numbers, Works } from './map.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): number => unhandled.push(reason)
process.on('unhandledRejection', onUnhandled)
after(async () => {
  await nextTurn()
  process.off('unhandledRejection', onUnhandled)
  assert.deepEqual(unhandled, [])
})

const isAbort = (error: Error & { code?: string }): boolean =>
  error.name === 'AbortError' && error.code === 'ABORT_ERR'

async function assertDone(results: Results<unknown>): Promise<void> {
  assert.deepEqual(await results.next(), { done: true, value: undefined })
}

describe('a map over inputs that ends early', () => {
  test('by an error of a work: gives what was ready, then the error; the others are aborted', async () => {
    for (const ordered of [true, false]) {
      const works = new Works()
      const { inputs, log } = noted(10)
      const results = mapOver(works.run, inputs, { concurrency: 4, ordered })
      const first = results.next()
      await works.finish(0, 1, 3)
      const error = new Error('no')
      // 4 took the place of 0, which was taken.
      await works.fail(2, error)
      assert.equal((await first).value, 'r0')
      assert.deepEqual(works.unsettled, [4])
      assert.ok(works.signals.every((signal) => signal.aborted && signal.reason === error))
      assert.equal(log.at(-1), 'return')
      assert.equal((await results.next()).value, 'r1')
      if (!ordered) assert.equal((await results.next()).value, 'r3')
      await assert.rejects(results.next(), error)
      await assertDone(results)
      await works.fail(4, new Error('late'))
    }
  })

  test('by an error of a work: rejects a next that waits, though others never end', async () => {
    const works = new Works()
    const results = mapOver(works.run, numbers(5), { concurrency: 3 })
    const [first, second] = [results.next(), results.next()]
    const rejected = assert.rejects(first, /no/)
    await works.fail(1, new Error('no'))
    await rejected
    assert.equal((await second).done, true)
  })

  test('by a work that cannot even begin', async () => {
    const run = (input: number): Promise<number> => {
      if (input === 2) throw new Error('no')
      return Promise.resolve(input)
    }
    const seen: number[] = []
    const all = async (): Promise<void> => {
      for await (const each of mapOver(run, numbers(5), { concurrency: 1 })) seen.push(each)
    }
    await assert.rejects(all, /no/)
    assert.deepEqual(seen, [0, 1])
  })

  test('by break: works are aborted, inputs are closed before the next statement', async () => {
    for (const kind of ['sync', 'async'] as const) {
      const works = new Works()
      let isClosed = false
      function* sync(): Generator<number> {
        try {
          yield* numbers(9)
        } finally {
          isClosed = true
        }
      }
      async function* late(): AsyncGenerator<number> {
        try {
          yield* numbers(9)
        } finally {
          await nextTurn()
          isClosed = true
        }
      }
      const inputs = kind === 'sync' ? sync() : late()
      setImmediate(() => void works.finish(0))
      for await (const each of mapOver(works.run, inputs, { concurrency: 2 })) {
        assert.equal(each, 'r0')
        await nextTurn()
        break
      }
      assert.ok(isClosed)
      assert.ok(works.signals.every((signal) => signal.aborted))
      for (const input of works.unsettled) await works.fail(input, new Error('late'))
    }
  })

  test('by return while inputs and works hang: at once, and a next that waits is done', async () => {
    const works = new Works()
    async function* hanging(): AsyncGenerator<number> {
      yield 0
      await new Promise(() => {})
    }
    const results = mapOver(works.run, hanging(), { concurrency: 2 })
    const waiting = results.next()
    await nextTurn()
    assert.equal((await results.return?.())?.done, true)
    assert.equal((await waiting).done, true)
    assert.equal(works.signals[0]?.aborted, true)
    await assertDone(results)
  })

  test('by return before the first next: nothing is ever pulled', async () => {
    const { inputs, log } = noted(3)
    const results = mapOver(new Works().run, inputs, { concurrency: 2 })
    await results[Symbol.asyncDispose]()
    await assertDone(results)
    assert.deepEqual(log, [])
  })

  test('by return: an error that the inputs end with is for the caller; by throw: their own', async () => {
    const inputs = (): Iterable<number> => ({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw new Error('cannot close')
        },
      }),
    })
    const results = mapOver(new Works().run, inputs(), { concurrency: 2 })
    const waiting = results.next()
    await assert.rejects(async () => results.return?.(), /cannot close/)
    assert.equal((await waiting).done, true)
    const others = mapOver(new Works().run, inputs(), { concurrency: 2 })
    void others.next()
    await assert.rejects(async () => others.throw?.(new Error('mine')), /mine/)
    await assertDone(others)
  })

  test('by inputs that throw, reject, cannot be opened, or give no results', async () => {
    const throwing = function* (): Generator<number> {
      yield 0
      throw new Error('bad inputs')
    }
    const rejecting = async function* (): AsyncGenerator<number> {
      yield* throwing()
    }
    const of = (next: () => unknown): Iterable<number> => ({
      [Symbol.iterator]: () => ({ next }) as never,
    })
    const closed = {
      [Symbol.iterator]: (): never => {
        throw new Error('bad inputs')
      },
    }
    for (const [inputs, message] of [
      [throwing(), /bad inputs/],
      [rejecting(), /bad inputs/],
      [closed, /bad inputs/],
      [of(() => 5), /no iterator result/],
      [of(() => undefined), /no iterator result/],
    ] as const) {
      const works = new Works()
      const results = mapOver(works.run, inputs, { concurrency: 2 })
      await assert.rejects(results.next(), message)
      assert.ok(works.signals.every((signal) => signal.aborted))
      await assertDone(results)
    }
  })

  test("by the caller's signal: at once, whatever is ready, with its reason behind", async () => {
    const works = new Works()
    const controller = new AbortController()
    const { signal } = controller
    const { inputs, log } = noted(9)
    const results = mapOver(works.run, inputs, { concurrency: 3, signal })
    const first = results.next()
    await works.finish(0, 1)
    assert.equal((await first).value, 'r0')
    controller.abort('enough')
    assert.ok(works.signals.every((each) => each.aborted))
    await assert.rejects(
      results.next(),
      (error: Error) => isAbort(error) && error.cause === 'enough',
    )
    await assertDone(results)
    assert.equal(log.at(-1), 'return')
  })

  test("by the caller's signal: rejects a next that waits, also if it was aborted before", async () => {
    const controller = new AbortController()
    const { signal } = controller
    const results = mapOver(new Works().run, numbers(9), { concurrency: 3, signal })
    const waiting = assert.rejects(results.next(), isAbort)
    controller.abort()
    await waiting
    const { inputs, log } = noted(3)
    const late = mapOver(new Works().run, inputs, { concurrency: 3, signal })
    await assert.rejects(late.next(), isAbort)
    assert.deepEqual(log, [])
  })

  test('leaves no listener on the signal, however it ends', async () => {
    const { signal } = new AbortController()
    const options = { concurrency: 2, signal }
    const run = async (input: number): Promise<number> => {
      if (input < 0) throw new Error('no')
      return input
    }
    const listeners = (): number => getEventListeners(signal, 'abort').length
    const unused = mapOver(run, numbers(3), options)
    assert.equal(listeners(), 0)
    await unused.return?.()
    const seen: number[] = []
    for await (const _ of mapOver(run, numbers(4), options)) seen.push(listeners())
    // With the last result taken there is nothing left to abort.
    assert.deepEqual([seen[0], seen.at(-1), listeners()], [1, 0, 0])
    for await (const _ of mapOver(run, numbers(3), options)) break
    await assert.rejects(mapOver(run, [-1], options).next(), /no/)
    assert.equal(listeners(), 0)
  })
})

test('a map ends once, whatever its own signals and inputs call back', async () => {
  const controller = new AbortController()
  const { signal } = controller
  let results: Results<number> | null = null
  const run = (_: number, own: AbortSignal): Promise<number> => {
    own.addEventListener('abort', () => void results?.return?.())
    return new Promise(() => {})
  }
  const inputs = function* (): Generator<number> {
    yield 1
    controller.abort()
    yield 2
  }
  results = mapOver(run, inputs(), { concurrency: 3, signal })
  await results.next().catch((error: Error) => assert.ok(isAbort(error)))
  await assertDone(results)
})

test('each work may listen for the end without a warning of a leak', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  const run = (_: number, signal: AbortSignal): Promise<never> => {
    signal.addEventListener('abort', () => {})
    return new Promise(() => {})
  }
  const results = mapOver(run, numbers(30), { concurrency: 20 })
  void results.next()
  await nextTurn()
  await results.return?.()
  process.off('warning', onWarning)
  assert.deepEqual(warnings, [])
})
