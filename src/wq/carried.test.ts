import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import * as fixture from './carried.fixture.js'
import { failureOf, marked, word } from './contract/support.fixture.js'
import { upTo } from './gated-queue.fixture.js'

checkForLeaks()

const { account, accountOf, request, tenant } = fixture
const nothing = { request: undefined, tenant: undefined, account: undefined }

function make(options: WorkQueueOptions = { maxWorkers: 1 }): WorkQueue<typeof fixture> {
  return new WorkQueue(new URL('./carried.fixture.js', import.meta.url), options)
}

const all = { request: { id: 7 }, tenant: 'a', account: 3 }

/** Calls it with a store in each of the three. */
function withAll<Result>(fn: () => Result): Result {
  const within = (): Result => account.run(accountOf(3), fn)
  return request.run({ id: 7 }, () => tenant.run({ name: 'a' }, within))
}

describe('what is carried', () => {
  test('is there in the handler, behind its awaits, timers and turns [S4-2]', async () => {
    await using queue = make()
    assert.deepEqual(await withAll(() => queue.run('seen')), all)
    for (const each of await withAll(() => queue.run('seenLater'))) assert.deepEqual(each, all)
  })

  test('is there in the works that a handler submits in its turn', async () => {
    await using queue = make()
    for (let round = 0; round < 12; round++) {
      assert.deepEqual(await withAll(() => queue.run('seenBelow')), all)
      assert.deepEqual(await queue.run('seenBelow'), nothing)
    }
  })

  test('is there in inline functions, streams, each work of a map, and broadcasts', async () => {
    await using queue = make()
    const inline = await tenant.run({ name: 'i' }, () =>
      queue.run(() => {
        const registry = Reflect.get(globalThis, Symbol.for('userworker.carriers.1')) as {
          list: { name: string; look: () => unknown }[]
        }
        return registry.list.find(({ name }) => name === 'tenant')?.look()
      }),
    )
    assert.deepEqual(inline, { name: 'i' })
    // Taken from outside: what counts is who asked for them.
    const stream = withAll(() => queue.stream('seenItems'))
    for await (const each of stream) assert.deepEqual(each, all)
    const inputs = upTo(40).map((): [] => [])
    const results = withAll(() => queue.map('seen', inputs, { concurrency: 4 }))
    for await (const each of results) assert.deepEqual(each, all)
    assert.deepEqual(await withAll(() => queue.broadcast('seen')), [all])
    assert.deepEqual(await queue.broadcast('seen'), [nothing])
  })

  test('is there where the signal of a work is aborted', async () => {
    await using queue = make()
    const begun = word()
    const work = withAll(() => queue.enqueue('seenAtAbort', [begun]))
    await marked(begun)
    assert.equal(work.cancel(), 'running')
    assert.deepEqual(await work.result, all)
  })

  test('comes beside arguments of every kind, and beside the key', async () => {
    await using queue = make()
    const large = 'x'.repeat(100_000)
    const moved = new ArrayBuffer(8)
    for (const args of [[], [1], [1, 2, 3, 4], ['a'], [large], [{ deep: [large] }], [new Map()]]) {
      for (const key of [undefined, 'k', 5, {}]) {
        const options = key === undefined ? {} : { key }
        const seen = await withAll(() => queue.run('seenWith', args, options))
        assert.deepEqual(seen, { args, key: typeof key === 'object' ? undefined : key, seen: all })
      }
    }
    const seen = await withAll(() => queue.run('seenWith', [moved], { transfer: [moved] }))
    assert.deepEqual(
      [seen, moved.byteLength],
      [{ args: [new ArrayBuffer(8)], key: undefined, seen: all }, 0],
    )
  })

  test('is as it was at submission, whatever is done to it later', async () => {
    await using queue = make()
    const store = { count: 0 }
    const works = request.run(store, () =>
      upTo(50).map((mark) => {
        store.count = mark * 10
        return queue.run('change')
      }),
    )
    assert.deepEqual(
      await Promise.all(works),
      upTo(50).map((mark) => mark * 10 + 1),
    )
    assert.equal(store.count, 490)
  })

  test('that is immutable comes by number, and stays apart from others, on all workers', async () => {
    await using queue = make({ maxWorkers: 2, concurrency: 4 })
    const tenants = upTo(300).map((mark) => ({ name: `t${mark}` }))
    const names = upTo(6000).map((mark) => {
      // Some often, some now and then, and some works without any.
      const mine = mark % 7 === 0 ? undefined : tenants[mark % 2 === 0 ? mark % 3 : mark % 300]
      const run = (): Promise<fixture.Seen[]> => queue.run('seenLater')
      const works = mine === undefined ? run() : tenant.run(mine, run)
      return works.then((seen) => [mine?.name, ...seen.map((each) => each.tenant)])
    })
    for (const [mine, ...seen] of await Promise.all(names)) {
      assert.deepEqual(seen, [mine, mine, mine, mine])
    }
  })

  test('reaches workers that are made after it got its number', async () => {
    await using queue = make({ maxWorkers: 1, recycle: { works: 10 } })
    const store = { name: 'kept' }
    for (let round = 0; round < 45; round++) {
      assert.equal((await tenant.run(store, () => queue.run('seen'))).tenant, 'kept')
    }
    assert.ok(queue.workers().every(({ name }) => !name.endsWith('-1')))
  })

  test('that is immutable cannot be changed by a handler', async () => {
    await using queue = make()
    const store = { name: 'mine' }
    for (let round = 0; round < 20; round++) {
      const error = await failureOf(tenant.run(store, () => queue.run('changeTenant')))
      assert.equal(error.name, 'TypeError')
      assert.equal((await tenant.run(store, () => queue.run('seen'))).tenant, 'mine')
    }
  })

  test('leaves nothing behind: not after a throw, an abort, or beside others [INV-IOWQ-17]', async () => {
    await using queue = make({ maxWorkers: 1, concurrency: 8 })
    const works: Promise<void>[] = []
    for (let round = 0; round < 300; round++) {
      const begun = word()
      const thrown = withAll(() => failureOf(queue.run('throwSeen')))
      works.push(
        thrown.then((error) => assert.deepEqual((error as { seen?: unknown }).seen, all)),
        queue.run('seen').then((seen) => assert.deepEqual(seen, nothing)),
        request.run(round, async () => {
          assert.deepEqual(await queue.run('seen'), { ...nothing, request: round })
        }),
        queue
          .run('seenLater')
          .then((seen) => seen.forEach((each) => assert.deepEqual(each, nothing))),
      )
      if (round % 50 === 0) {
        const told = withAll(() => queue.enqueue('seenAtAbort', [begun]))
        const plain = queue.enqueue('seenAtAbort', [word()])
        works.push(
          told.result.then((seen) => assert.deepEqual(seen, all)),
          plain.result.then((seen) => assert.deepEqual(seen, nothing)),
        )
        await marked(begun)
        told.cancel()
        while (plain.state !== 'running') await new Promise((resolve) => setImmediate(resolve))
        await queue.run('seen')
        plain.cancel()
      }
    }
    await Promise.all(works)
  })
})

describe('what cannot be carried', () => {
  test('rejects the work with ERR_NOT_CLONEABLE, which names the carrier', async () => {
    await using queue = make()
    for (let round = 0; round < 12; round++) {
      const error = await failureOf(
        request.run({ fn: () => 1 }, () => queue.run('seenWith', [round])),
      )
      assert.equal(error.code, 'ERR_NOT_CLONEABLE')
      assert.match(
        error.message,
        /^What the carrier 'request' captured cannot be sent to a worker: /,
      )
    }
    const bad = Object.freeze({ name: 'x', fn: () => 1 })
    for (let round = 0; round < 12; round++) {
      const error = await failureOf(tenant.run(bad, () => queue.run('seen')))
      assert.equal(error.code, 'ERR_NOT_CLONEABLE')
      assert.match(error.message, /the carrier 'tenant'/)
    }
    const argument = await failureOf(withAll(() => queue.run('seenWith', [() => 1])))
    assert.match(argument.message, /^An argument of 'seenWith'/)
    await queue.run('seen')
    const called = await failureOf(request.run({ fn: () => 1 }, () => queue.broadcast('seen')))
    assert.match(called.message, /the carrier 'request'/)
    assert.deepEqual(await queue.run('seen'), nothing)
  })

  test('rejects the work with what restore throws, and the worker goes on', async () => {
    await using queue = make()
    const error = await failureOf(account.run(accountOf(-2), () => queue.run('seen')))
    assert.deepEqual([error.name, error.message], ['RangeError', 'no account -2'])
    assert.deepEqual(await account.run(accountOf(0), () => queue.run('seen')), nothing)
    assert.deepEqual(await queue.run('seen'), nothing)
  })

  test('rejects the work with what capture throws, at once and without running it', async () => {
    await using queue = make()
    const { carry } = await import('./current.js')
    const takeBack = carry('broken', {
      capture: () => {
        throw new RangeError('no capture')
      },
      run: (_, fn) => fn(),
    })
    const error = await failureOf(queue.run('seen'))
    const items = await failureOf(queue.stream('seenItems').next())
    const mapped = await failureOf(queue.map('seen', [[]]).next())
    for (const each of [error, items, mapped]) assert.equal(each.message, 'no capture')
    takeBack()
    assert.deepEqual(await queue.run('seen'), nothing)
    assert.equal(queue.stats().failed, 3)
  })
})

describe('the context of the caller', () => {
  test('holds behind the await of a work, and in onProgress', async () => {
    await using queue = make()
    await queue.run('seen')
    const told: unknown[] = []
    const onProgress = (): unknown => told.push(request.getStore())
    await Promise.all(
      upTo(5).map((mark) =>
        request.run(mark, async () => {
          await queue.run('progress', [], { onProgress })
          assert.equal(request.getStore(), mark)
        }),
      ),
    )
    assert.deepEqual(
      told.toSorted((a, b) => Number(a) - Number(b)),
      [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
    )
  })
})
