import assert from 'node:assert/strict'
import type { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf, word } from './contract/support.fixture.js'
import { untilSync } from './gated-queue.fixture.js'

checkForLeaks()

const current = JSON.stringify(new URL('./current.js', import.meta.url).href)
const module = moduleOf(`
  import { current } from ${current}
  const nested = (depth) => {
    let value = 1
    for (let level = 0; level < depth; level++) value = [value]
    return value
  }
  class OfMessages { a = 1 }
  export const tells = (depth) => { current().progress(nested(depth)); return 'told' }
  export async function* items(depth) { yield 1; yield nested(depth); yield 3 }
  export async function* each(values) { yield* values }
  /** Its result goes by message. */
  export const one = (value) => ({ value, of: new OfMessages() })
  export const deep = (depth) => nested(depth)
  export const deepAtLast = (depth, words) => {
    setImmediate(() => process.exit(0))
    process.on('exit', () => { Atomics.store(words, 0, 1); Atomics.notify(words, 0) })
    return nested(depth)
  }
  export const tellsNothing = (depth) => {
    try { current().progress({ no: () => {} }) } catch { return nested(depth) }
  }
  export const type = (value) => typeof value
  export const waits = async (begun, gate) => {
    Atomics.add(begun, 0, 1)
    while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  export const holds = (begun, gate) => {
    Atomics.add(begun, 0, 1)
    Atomics.wait(gate, 0, 0, 60_000)
  }
  export const long = ({ bytes }) => bytes.length
`)
interface Handlers {
  tells(depth: number): string
  items(depth: number): AsyncGenerator
  each(values: readonly unknown[]): AsyncGenerator
  one(value: unknown): { value: unknown }
  deep(depth: number): unknown
  deepAtLast(depth: number, words: Int32Array): unknown
  tellsNothing(depth: number): unknown
  type(value: unknown): string
  waits(begun: Int32Array, gate: Int32Array): Promise<void>
  holds(begun: Int32Array, gate: Int32Array): void
  long(given: { bytes: Uint8Array }): number
}

/** Its threads can write, and read, what this one cannot. */
const tooDeep = 16_000
const roomy: WorkQueueOptions = { maxWorkers: 1, resourceLimits: { stackSizeMb: 16 } }
/** Its threads cannot read what this one writes. */
const narrow: WorkQueueOptions = { maxWorkers: 1, resourceLimits: { stackSizeMb: 0.3 } }
const make = (options: WorkQueueOptions): WorkQueue<Handlers> => new WorkQueue(module, options)

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}
const refused = { code: 'ERR_NOT_CLONEABLE', message: /nested too deep for its stack/ }

/** Each has its own result. */
async function goOn(queue: WorkQueue<Handlers>): Promise<void> {
  for (const value of ['a', 'b', 'c']) assert.equal((await queue.run('one', [value])).value, value)
}

describe('a message that its reader cannot read, nested too deep for its stack', () => {
  test('and that a handler told of its work fails that work, and no other', async () => {
    await using queue = make(roomy)
    const told: unknown[] = []
    const onProgress = (value: unknown): number => told.push(value)
    await assert.rejects(queue.run('tells', [tooDeep], { onProgress }), refused)
    await goOn(queue)
    assert.equal(await queue.run('tells', [1], { onProgress }), 'told')
    assert.deepEqual(told, [[1]])
  })

  test('and that nobody listens for is no loss', async () => {
    await using queue = make(roomy)
    assert.equal(await queue.run('tells', [tooDeep]), 'told')
    await goOn(queue)
  })

  test('and comes behind one that could not be sent is still known for what it is', async () => {
    await using queue = make(roomy)
    await assert.rejects(queue.run('tellsNothing', [tooDeep]), refused)
    await goOn(queue)
  })

  test('and is an item fails its stream, which does not go on without it', async () => {
    await using queue = make(roomy)
    const items: unknown[] = []
    const taken = async (): Promise<void> => {
      for await (const item of queue.stream('items', [tooDeep])) items.push(item)
    }
    await assert.rejects(taken(), refused)
    assert.deepEqual(items, [1])
    await goOn(queue)
  })

  test('and is the answer to a broadcast, or its arguments, fails that, and no work', async () => {
    await using queue = make(roomy)
    await queue.ready()
    await assert.rejects(queue.broadcast('deep', [tooDeep]), refused)
    assert.deepEqual(await queue.broadcast('deep', [1]), [[1]])
    await goOn(queue)
    await using small = make(narrow)
    await small.ready()
    await assert.rejects(small.broadcast('type', [nested(1000)]), refused)
    assert.deepEqual(await small.broadcast('type', [nested(1)]), ['object'])
    await goOn(small)
  })
})

describe('an item that may be nested deep, and is not', () => {
  test('arrives as it is, whatever its kind and its length', async () => {
    await using queue = make({ maxWorkers: 1 })
    const long = Array.from({ length: 40 }, (_, index) => index)
    const values = [new Map([[1, 2]]), [new Date(0)], long, Object.fromEntries(long.entries())]
    const items: unknown[] = []
    for await (const item of queue.stream('each', [values])) items.push(item)
    assert.deepEqual(items, values)
  })
})

describe('what works carry in common, and their thread cannot read', () => {
  test('fails those works, and no others', async () => {
    const carrier = moduleOf(`
      import { AsyncLocalStorage } from 'node:async_hooks'
      import { carry } from ${current}
      export const store = new AsyncLocalStorage()
      carry('a deep one', store, { immutable: true })`)
    const { store } = (await import(carrier)) as { store: AsyncLocalStorage<unknown> }
    await using queue = new WorkQueue<Handlers>(module, { ...narrow, preload: [carrier] })
    await queue.ready()
    const failing = store.run(nested(1000), () =>
      [1, 2, 3].map((value) => failureOf(queue.run('type', [value]))),
    )
    for (const failure of failing) assert.equal((await failure).code, 'ERR_NOT_CLONEABLE')
    assert.equal(await store.run(nested(1), () => queue.run('type', [1])), 'number')
    await goOn(queue)
  })
})

describe('a result that its owner cannot read', () => {
  test('is told to its caller, whether the owner looks for it or hears of it', async () => {
    await using queue = make(roomy)
    await queue.ready()
    for (let round = 0; round < 5; round++) {
      const begun = word()
      // Looked for next, before this thread hears of messages.
      setImmediate(() => untilSync(() => Atomics.load(begun, 0) === 1))
      const works = [queue.run('deep', [tooDeep]), queue.run('one', [round])] as const
      const held = queue.run('holds', [begun, begun])
      assert.equal((await failureOf(works[0])).code, 'ERR_NOT_CLONEABLE')
      assert.equal((await works[1]).value, round)
      await held
    }
  })

  test('is told to its caller also where its thread has ended before the owner heard of it', async () => {
    await using queue = make(roomy)
    const ended = word()
    await queue.ready()
    const thread = queue.workers()[0]?.osThreadId
    const failure = failureOf(queue.run('deepAtLast', [tooDeep, ended]))
    untilSync(() => Atomics.load(ended, 0) === 1 && !existsSync(`/proc/self/task/${thread}`))
    assert.equal((await failure).code, 'ERR_NOT_CLONEABLE')
    await goOn(queue)
  })
})

describe('arguments that their thread cannot read', () => {
  test('fail their own work, where others wait, run, and come', async () => {
    await using queue = make({ ...narrow, concurrency: 4 })
    const [begun, gate, isHeld, hold] = [word(), word(), word(), word()]
    const waiting = queue.run('waits', [begun, gate])
    await until('one work runs', () => Atomics.load(begun, 0) === 1)
    const failure = failureOf(queue.run('type', [nested(1000)]))
    const held = queue.run('holds', [isHeld, hold])
    await until('the thread is held', () => Atomics.load(isHeld, 0) === 1)
    // The arguments that were asked for are sent meanwhile; then come bytes in new memory.
    await sleep(50)
    const bytes = new Uint8Array(100_000)
    const others = Array.from({ length: 20 }, () => queue.run('long', [{ bytes }]))
    Atomics.store(hold, 0, 1)
    Atomics.notify(hold, 0)
    assert.equal((await failure).code, 'ERR_NOT_CLONEABLE')
    assert.deepEqual(new Set(await Promise.all(others)), new Set([100_000]))
    Atomics.store(gate, 0, 1)
    await Promise.all([waiting, held])
    await goOn(queue)
  })
})
