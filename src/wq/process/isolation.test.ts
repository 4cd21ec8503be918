import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BlockList } from 'node:net'
import { Owner, UserWorkerError, WorkQueue, type WorkQueueOptions } from '../../index.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { runProgram } from '../../worker/program.fixture.js'
import type * as Handlers from './isolated.fixture.js'

checkForLeaks()

const handlers = new URL('./isolated.fixture.js', import.meta.url)
type Queue = WorkQueue<typeof Handlers>

const make = (options: WorkQueueOptions = {}): Queue =>
  new WorkQueue(handlers, { isolation: 'process', maxWorkers: 1, ...options })

const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

describe('a child process', () => {
  test('is another process, and has title, arguments, environment and limits of its queue', async () => {
    await using queue = make({
      name: 'iso',
      argv: ['--one', 'two'],
      env: { COLOUR: 'red' },
      resourceLimits: { maxOldGenerationSizeMb: 77, maxYoungGenerationSizeMb: 12, stackSizeMb: 2 },
    })
    const { pid, execArgv, ...rest } = await queue.run('identity')
    assert.notEqual(pid, process.pid)
    assert.equal(queue.workers()[0]?.processId, pid)
    assert.deepEqual(rest, {
      title: 'uw:iso-1',
      argv: ['--one', 'two'],
      colour: 'red',
      hasIpc: false,
    })
    for (const option of ['--max-old-space-size=77', '--max-semi-space-size=4']) {
      assert.ok((execArgv as string[]).includes(option), String(execArgv))
    }
    assert.ok((execArgv as string[]).includes('--stack-size=1856'))
  })

  test('has no more heap than its owner allows, and ends with its owner', async () => {
    const owner = new Owner({ limits: { heapMb: 60 } })
    const queue = make({ owner, resourceLimits: { maxOldGenerationSizeMb: 77 } })
    const { pid, execArgv } = await queue.run('identity')
    assert.equal((execArgv as string[]).at(-1), '--max-old-space-size=60')
    const spinning = queue.run('spin')
    owner.kill()
    await assert.rejects(spinning, { code: 'ERR_OWNER_KILLED' })
    await queue.close()
    // Not even as a zombie.
    await until('the child is gone', () => !existsSync(`/proc/${pid as number}`))
    await owner.stop()
  })

  test('has the options of Node that the queue was given', async () => {
    await using queue = make({ execArgv: ['--no-deprecation'] })
    const { execArgv } = await queue.run('identity')
    assert.deepEqual(execArgv, ['--no-deprecation'])
  })

  test('knows its work, its key and its name, and runs inline functions', async () => {
    await using queue = make()
    const { id, key, name } = await queue.run('work', [], { key: 'k' })
    assert.deepEqual([id, key, name], [1, 'k', 'work'])
    assert.equal(await queue.run((one: number, other: number) => one * other, [6, 7]), 42)
    assert.equal(await queue.run('blocked', ['through']), 'through')
  })

  test('runs setup with the data, and teardown when the queue is closed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'userworker-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'torn')
    const text = `import { writeFileSync } from 'node:fs'
      let file
      export const setup = (data) => { file = data.get('file') }
      export const look = () => file
      export const teardown = async () => writeFileSync(file, 'torn down')`
    const data = new Map([['file', file]])
    const queue = new WorkQueue(moduleOf(text), { isolation: 'process', data })
    assert.equal(await queue.run('look'), file)
    await queue.close()
    assert.equal(readFileSync(file, 'utf8'), 'torn down')
  })

  test('whose teardown throws ends, and the queue closes: why is told by a warning', async () => {
    const text =
      "export const one = () => 1; export const teardown = () => { throw new RangeError('torn') }"
    const queue = new WorkQueue(moduleOf(text), { isolation: 'process', name: 'tearing' })
    await queue.run('one')
    const warned = once(process, 'warning')
    assert.deepEqual(await queue.close(), { stuck: [] })
    const [warning] = (await warned) as [Error]
    assert.match(warning.message, /'tearing-1' ended by an error: RangeError: torn/)
  })

  test('that tells more of a work after its end tells nobody', async () => {
    const url = JSON.stringify(new URL('../current.js', import.meta.url).href)
    const text = `import { current } from ${url}
      export const tells = () => {
        const work = current()
        work.progress('in time')
        setImmediate(() => work.progress('too late'))
      }
      export const next = () => new Promise((resolve) => setTimeout(resolve, 20))`
    await using queue = new WorkQueue(moduleOf(text), { isolation: 'process', maxWorkers: 1 })
    const told: unknown[] = []
    const onProgress = (value: unknown): unknown => told.push(value)
    await queue.run('tells', [], { onProgress })
    await queue.run('next', [], { onProgress })
    assert.deepEqual(told, ['in time'])
  })

  test('fails a work whose value its thread cannot read, nested too deep for the stack', async () => {
    const text = `const nested = (depth) => {
        let value = 1
        for (let level = 0; level < depth; level++) value = [value]
        return value
      }
      export const deep = (depth) => nested(depth)
      export async function* items(depth) { yield nested(depth) }`
    // More than the thread has.
    const resourceLimits = { stackSizeMb: 7 }
    const options = { isolation: 'process', maxWorkers: 1, resourceLimits } as const
    await using queue = new WorkQueue(moduleOf(text), options)
    const refused = { code: 'ERR_NOT_CLONEABLE', message: /A value of a work cannot be read/ }
    await assert.rejects(queue.run('deep', [12_000]), refused)
    await assert.rejects(queue.stream('items', [12_000]).next(), refused)
    assert.deepEqual(await queue.run('deep', [1]), [1])
  })

  test('gives items as they are taken, and tells progress', async () => {
    await using queue = make()
    const [items, told]: [number[], unknown[]] = [[], []]
    const onProgress = (value: unknown): unknown => told.push(value)
    for await (const item of queue.stream('countTo', [100], { onProgress })) items.push(item)
    const expected = Array.from({ length: 100 }, (_, index) => index + 1)
    assert.deepEqual([items, told], [expected, expected])
  })

  test('is at most 32 items ahead, and hears when its items are not wanted any more', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'userworker-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'given')
    await using queue = make()
    let taken = 0
    for await (const _ of queue.stream('countForEver', [file])) if (++taken === 40) break
    await queue.flush()
    await until('the generator has ended', () => readFileSync(file, 'utf8').endsWith('end'))
    const given = readFileSync(file, 'utf8').length - 'end'.length
    assert.ok(given <= taken + 8 + 32 + 2, `${given} were given, and ${taken} taken`)
    assert.equal(await queue.run('add', [1, 2]), 3)
  })

  test('has the signal of its work aborted, with the reason', async () => {
    await using queue = make()
    const controller = new AbortController()
    let reason: unknown
    await using other = make()
    const begun = new Promise<void>((resolve) => {
      const work = other.enqueue('untilAborted', [], { onProgress: () => resolve() })
      work.result.catch((error: unknown) => {
        reason = error
      })
    })
    await begun
    other.cancel(() => true)
    await other.flush()
    assert.equal(await other.run('add', [1, 2]), 3, 'its handler has ended')
    assert.equal((reason as Error | undefined) instanceof Error || reason === undefined, true)
    const told = new Promise<void>((resolve) => {
      const { signal } = controller
      queue
        .run('untilAborted', [], { signal, onProgress: () => resolve() })
        .catch((error: unknown) => {
          reason = error
        })
    })
    await told
    controller.abort(new RangeError('enough'))
    assert.equal(await queue.run('add', [1, 2]), 3, 'its handler has ended')
    const { code, cause } = reason as { code: string; cause: Error }
    assert.deepEqual([code, cause.message], ['ABORT_ERR', 'enough'])
  })

  test('runs a broadcast beside its works', async () => {
    await using queue = make({ maxWorkers: 2, minWorkers: 2 })
    await queue.ready()
    const pids = (await queue.broadcast('identity')).map(({ pid }) => pid)
    assert.equal(new Set(pids).size, 2)
    await assert.rejects(queue.broadcast('echo', [new SharedArrayBuffer(4)]), { code: 'ENOTSUP' })
  })

  test('is replaced when its own memory is more than recycle.heapMb', async () => {
    await using queue = make({ recycle: { heapMb: 150 } })
    const pids = new Set<number>()
    for (let index = 0; index < 200; index++) pids.add(await queue.run('keep', [1]))
    assert.equal(pids.size, 2)
  })

  test('writes its standard error where that of its parent goes', async () => {
    const index = JSON.stringify(new URL('../../index.js', import.meta.url).href)
    const { out, err } = await runProgram(`
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue(null, { isolation: 'process' })
      await queue.run(() => { console.log('out'); console.error('err') })
      await queue.close()`)
    assert.deepEqual([out, err], ['out\n', 'err\n'])
  })
})

describe('what two processes cannot share is refused with ENOTSUP', () => {
  const refused = (error: unknown): boolean => {
    assert.ok(error instanceof UserWorkerError)
    assert.equal(error.code, 'ENOTSUP')
    assert.match(error.message, /use threads/)
    return true
  }

  test('shared memory in arguments, wherever it is, and the next work runs', async () => {
    await using queue = make()
    const words = new Int32Array(new SharedArrayBuffer(4))
    for (const value of [words, { deep: [words.buffer] }, new Map([[1, new Set([words])]])]) {
      await assert.rejects(queue.run('echo', [value]), refused)
    }
    assert.deepEqual(queue.stats().failed, 3)
    assert.equal(await queue.run('add', [1, 2]), 3)
  })

  test('a transfer list, and what is in it is not moved', async () => {
    await using queue = make()
    const bytes = new Uint8Array(8)
    await assert.rejects(queue.run('echo', [bytes], { transfer: [bytes.buffer] }), refused)
    assert.equal(bytes.byteLength, 8)
    assert.deepEqual(await queue.run('echo', [bytes]), bytes)
  })

  test("objects of Node's own, which only threads can hand on", async () => {
    await using queue = make()
    await assert.rejects(queue.run('echo', [new BlockList()]), refused)
    await assert.rejects(
      queue.run(() => process.getBuiltinModule('node:crypto').createSecretKey(Buffer.alloc(8))),
      refused,
    )
  })

  test('shared memory in a result, an item and what is told', async () => {
    await using queue = make()
    await assert.rejects(queue.run('share', ['result']), refused)
    await assert.rejects(queue.run('share', ['told']), refused)
    const items: unknown[] = []
    const taking = async (): Promise<void> => {
      for await (const item of queue.stream('shareItems')) items.push(item)
    }
    await assert.rejects(taking(), refused)
    assert.deepEqual(items, [1])
    assert.equal(await queue.run('add', [1, 2]), 3)
  })

  test('data with shared memory, and limits that V8 has no option for, when the queue is made', () => {
    assert.throws(() => make({ data: { words: new SharedArrayBuffer(4) } }), refused)
    assert.throws(() => make({ resourceLimits: { codeRangeSizeMb: 4 } }), { code: 'ENOTSUP' })
    assert.throws(() => make({ entry: handlers }), { code: 'ENOTSUP' })
    assert.throws(() => make({ isolation: 'fork' as never }), { code: 'EINVAL' })
  })
})
