import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { carry, WorkQueue } from '../../index.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { runProgram } from '../../worker/program.fixture.js'
import * as fixture from '../carried.fixture.js'
import { failureOf, moduleOf } from '../contract/support.fixture.js'
import type * as Telemetry from '../telemetry.fixture.js'
import { inSpan, withTenant } from '../telemetry.fixture.js'

checkForLeaks()

const { account, accountOf, request, tenant } = fixture
const nothing = { request: undefined, tenant: undefined, account: undefined }
const all = { request: { id: 7 }, tenant: 'a', account: 3 }
const index = JSON.stringify(new URL('../../index.js', import.meta.url).href)
const current = JSON.stringify(new URL('../current.js', import.meta.url).href)

const make = (): WorkQueue<typeof fixture> =>
  new WorkQueue(new URL('../carried.fixture.js', import.meta.url), {
    isolation: 'process',
    maxWorkers: 1,
  })

const frozen = { name: 'a' }

/** Calls it with a store in each of the three. */
function withAll<Result>(fn: () => Result): Result {
  const within = (): Result => account.run(accountOf(3), fn)
  return request.run({ id: 7 }, () => tenant.run(frozen, within))
}

describe('what is carried to a child process', () => {
  test('is there in the handler, behind its awaits, timers and turns, and gone after it', async () => {
    await using queue = make()
    // So many that contexts get numbers.
    for (let round = 0; round < 12; round++) {
      assert.deepEqual(await withAll(() => queue.run('seen')), all)
      for (const each of await withAll(() => queue.run('seenLater'))) assert.deepEqual(each, all)
      assert.deepEqual(await queue.run('seen'), nothing)
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
    const stream = withAll(() => queue.stream('seenItems'))
    for await (const each of stream) assert.deepEqual(each, all)
    const inputs = Array.from({ length: 20 }, (): [] => [])
    for await (const each of withAll(() => queue.map('seen', inputs))) assert.deepEqual(each, all)
    assert.deepEqual(await withAll(() => queue.broadcast('seen')), [all])
    assert.deepEqual(await queue.broadcast('seen'), [nothing])
  })

  test('is there where the signal of a work is aborted, and in works that a handler submits', async () => {
    const text = `
      import { current } from ${current}
      import { request } from ${JSON.stringify(new URL('../carried.fixture.js', import.meta.url).href)}
      export const untilAborted = () => new Promise((resolve) => {
        current().signal.addEventListener('abort', () => resolve(request.getStore()))
        current().progress('begun')
      })`
    await using queue = new WorkQueue(moduleOf(text), { isolation: 'process' })
    await new Promise<void>((resolve, reject) => {
      const work = request.run('here', () =>
        queue.enqueue('untilAborted', [], { onProgress: () => work.cancel() }),
      )
      work.result.then((seen) => {
        assert.equal(seen, 'here')
        resolve()
      }, reject)
    })
    await using other = make()
    assert.deepEqual(await withAll(() => other.run('seenBelow')), all)
  })

  test('comes beside arguments of every kind, and beside the key', async () => {
    await using queue = make()
    for (const args of [[], [1], ['x'.repeat(100_000)], [new Map([[1, 2]])]]) {
      for (const key of [undefined, 'k']) {
        const options = key === undefined ? {} : { key }
        const seen = await withAll(() => queue.run('seenWith', args, options))
        assert.deepEqual(seen, { args, key, seen: all })
      }
    }
  })

  test('fails its work alone where restore throws, and names the carrier where it cannot be sent', async () => {
    await using queue = make()
    const error = await failureOf(account.run(accountOf(-1), () => queue.run('seen')))
    assert.deepEqual([error.name, error.message], ['RangeError', 'no account -1'])
    const unsent = await failureOf(request.run({ fn: () => {} }, () => queue.run('seen')))
    assert.equal(unsent.code, 'ERR_NOT_CLONEABLE')
    assert.match(unsent.message, /carrier 'request'/)
    assert.deepEqual(await queue.run('seen'), nothing)
  })

  test('is refused with ENOTSUP where two processes cannot share it, also by number and in a broadcast', async () => {
    await using queue = make()
    assert.deepEqual(await queue.run('seen'), nothing)
    const shared = { name: 's', memory: new SharedArrayBuffer(4) }
    const refused = (error: Error & { code?: string }): boolean => {
      assert.equal(error.code, 'ENOTSUP')
      assert.match(error.message, /What the carrier '(request|tenant)' captured holds a Shared/)
      return true
    }
    // From the ninth on the value of an immutable carrier has a number.
    for (let round = 0; round < 12; round++) {
      await assert.rejects(() => tenant.run(shared, () => queue.run('seen')), refused)
    }
    for (const args of [[], [{ plain: [1] }], [new Map()]]) {
      const work = (): Promise<unknown> => queue.run('seenWith', args)
      await assert.rejects(() => request.run(shared, work), refused)
    }
    await assert.rejects(() => request.run(shared, () => queue.broadcast('seen')), refused)
    assert.deepEqual(await queue.run('seen'), nothing)
  })

  test('by a name that nobody knows there warns the process, once', async () => {
    const { out, err } = await runProgram(`
      const { WorkQueue, carry } = await import(${index})
      carry('one', { capture: () => 1, run: (_, fn) => fn() })
      const queue = new WorkQueue(null, { isolation: 'process', maxWorkers: 2, minWorkers: 2 })
      const works = Array.from({ length: 40 }, (_, mark) => queue.run((x) => x, [mark]))
      const sum = (await Promise.all(works)).reduce((a, b) => a + b)
      await queue.close()
      console.log(sum)`)
    assert.equal(out, '780\n')
    const lines = err.split('\n').filter((line) => line.includes("Works carry 'one'"))
    assert.equal(lines.length, 1, err)
    assert.match(lines[0] ?? '', /UserWorkerWarning: .*preload/)
  })

  test("is OpenTelemetry's context too: spans of a handler are children of the submitter's", async () => {
    const queue = new WorkQueue<typeof Telemetry>(
      new URL('../telemetry.fixture.js', import.meta.url),
      { isolation: 'process', maxWorkers: 1 },
    )
    try {
      for (let round = 0; round < 12; round++) {
        await withTenant('acme', () =>
          inSpan('submitting', async (parent) => {
            const spans = await queue.run('spans')
            assert.equal(spans.length, 3)
            for (const span of spans) {
              const seen = [span.traceId, span.parent, span.tenant]
              assert.deepEqual(seen, [parent.traceId, parent.id, 'acme'])
            }
          }),
        )
      }
      for (const { parent } of await queue.run('spans')) assert.equal(parent, undefined)
    } finally {
      await queue.close()
    }
  })
})

describe('preload, with child processes', () => {
  test('is imported in the child before the module, in its order, and not in its thread', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'userworker-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'where.mjs')
    await writeFile(
      file,
      `import { appendFileSync } from 'node:fs'
      import { isMainThread } from 'node:worker_threads'
      ;(globalThis.seen ??= []).push('file')
      appendFileSync(${JSON.stringify(join(folder, 'threads'))}, isMainThread + ' ')`,
    )
    const text = `
      import { readFileSync } from 'node:fs'
      const seen = [...globalThis.seen, 'module']
      export const look = (file) => [seen, readFileSync(file, 'utf8')]`
    const preload = [moduleOf(`(globalThis.seen ??= []).push('first')`), pathToFileURL(file)]
    await using queue = new WorkQueue(moduleOf(text), { isolation: 'process', preload })
    const found = await queue.run('look', [join(folder, 'threads')])
    assert.deepEqual(found, [['first', 'file', 'module'], 'true '])
  })

  test('brings carriers, and one that fails is ERR_MODULE_LOAD with its name', async () => {
    const module = moduleOf(`
      import { carry } from ${current}
      carry('mood', {
        capture: () => undefined,
        run: (sent, fn) => { globalThis.mood = sent; return fn() },
      })`)
    const takeBack = carry('mood', { capture: () => 'glad', run: (_, fn) => fn() })
    try {
      await using queue = new WorkQueue(null, { isolation: 'process', preload: [module] })
      assert.equal(await queue.run(() => Reflect.get(globalThis, 'mood') as unknown), 'glad')
    } finally {
      takeBack()
    }
    const bad = moduleOf(`throw new RangeError('so')`)
    await using queue = new WorkQueue(null, { isolation: 'process', preload: [bad] })
    const error = await failureOf(queue.run(() => 1))
    assert.equal(error.code, 'ERR_MODULE_LOAD')
    assert.ok(error.message.startsWith(`Preloading ${bad} failed: so`), error.message)
  })
})
