import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drainOnSignal, WorkQueue } from '../index.js'
import { SHARE_ENV } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { isKey } from './keys.js'
import { Names } from './names.js'
import { SharedBuffers } from './numbered-buffers.js'

checkForLeaks()

const invalid = { name: 'TypeError', code: 'EINVAL' }

describe('an option that is wrong', () => {
  test('of a queue is refused with EINVAL, and one that its isolation has not with ENOTSUP', () => {
    for (const options of [
      { nice: 20 },
      { nice: 1.5 },
      { isolation: 'fibre' },
      { data: { toString: null, bad: () => 1 } },
    ])
      assert.throws(
        () => new WorkQueue(null, options as never),
        (error: { code?: string }) => ['EINVAL', 'ERR_NOT_CLONEABLE'].includes(error.code ?? ''),
      )
    const shared = { isolation: 'process', env: SHARE_ENV } as const
    assert.throws(() => new WorkQueue(null, shared), { code: 'ENOTSUP' })
  })

  test('of a work is refused with EINVAL', async () => {
    await using queue = new WorkQueue(null)
    for (const options of [{ onProgress: 1 }, { priority: 'highest' }, { priority: 1 }])
      assert.throws(
        () => queue.enqueue('f', [], options as never),
        invalid,
        JSON.stringify(options),
      )
    await assert.rejects(queue.freeze({ at: 'once' } as never), invalid)
  })
})

describe('what drains on a signal', () => {
  test('is one queue or several, and signals that end a process; else it is refused with EINVAL', async () => {
    await using queue = new WorkQueue(null)
    for (const queues of [[], [1], null, [queue, {}]])
      assert.throws(() => drainOnSignal(queues as never), invalid)
    for (const signals of ['SIGINT', ['SIGKILL'], [1]])
      assert.throws(() => drainOnSignal(queue, { signals } as never), invalid)
    assert.throws(() => drainOnSignal(queue, { deadlineMs: -1 }), invalid)
    const listeners = (): number => process.listenerCount('SIGTERM')
    const before = listeners()
    const takeBack = drainOnSignal([queue, queue], { signals: ['SIGTERM'], deadlineMs: 1000 })
    assert.equal(listeners(), before + 1)
    takeBack()
    assert.equal(listeners(), before)
  })

  test('is set up in the main thread alone', async () => {
    await using queue = new WorkQueue(null)
    const url = new URL('../index.js', import.meta.url).href
    const refused = await queue.run(
      async (from: string) => {
        const { WorkQueue: Queue, drainOnSignal: drain } = (await import(from)) as {
          WorkQueue: typeof WorkQueue
          drainOnSignal: typeof drainOnSignal
        }
        const inner = new Queue(null)
        try {
          drain(inner)
          return 'set up'
        } catch (error) {
          return (error as { code?: string }).code
        } finally {
          await inner.close()
        }
      },
      [url],
    )
    assert.equal(refused, 'ENOTSUP')
  })
})

describe('a nice value', () => {
  test('is that of the threads of a queue', async () => {
    await using queue = new WorkQueue(null, { nice: 5 })
    const niceOf = async (): Promise<number> => (await import('node:os')).getPriority()
    assert.equal(await queue.run(niceOf, []), 5)
  })
})

describe('what is nested too deep for a stack', () => {
  const nest = (depth: number): unknown => {
    let value: unknown = 1
    for (let level = 0; level < depth; level++) value = [value]
    return value
  }
  const refused = { code: 'ERR_NOT_CLONEABLE', message: /nested too deep for its stack/ }

  test('is refused as an argument, by the thread that cannot read it', async () => {
    await using queue = new WorkQueue(null, { resourceLimits: { stackSizeMb: 0.3 } })
    await assert.rejects(
      queue.run((value: unknown) => typeof value, [nest(1000)]),
      refused,
    )
    assert.equal(await queue.run((value: unknown) => typeof value, [nest(10)]), 'object')
  })

  test('is refused as a result, by this thread, or where it is sent', async () => {
    await using queue = new WorkQueue(null, { resourceLimits: { stackSizeMb: 16 } })
    const made = (depth: number): unknown => {
      let value: unknown = 1
      for (let level = 0; level < depth; level++) value = [value]
      return value
    }
    await assert.rejects(queue.run(made, [16_000]), refused)
    await assert.rejects(queue.run(made, [400_000]), { code: 'ERR_NOT_CLONEABLE' })
    assert.deepEqual(await queue.run(made, [1]), [1])
  })
})

describe('a function', () => {
  test('that rejects is a work that rejects, with its error', async () => {
    await using queue = new WorkQueue(null)
    const failing = (): Promise<never> => Promise.reject(new RangeError('no'))
    await assert.rejects(queue.run(failing, []), { name: 'RangeError', message: 'no' })
  })

  test('of a module that exports none is not found, and the error says so', async () => {
    await using queue = new WorkQueue<Record<string, () => void>>(
      'data:text/javascript,export const a = 1' as never,
    )
    await assert.rejects(queue.run('f', []), { code: 'ERR_NO_HANDLER', message: /It has: none/ })
  })
})

describe('a checkpoint in a child process', () => {
  test('lets a work go on that nobody cancels', async () => {
    await using queue = new WorkQueue(null, { isolation: 'process' })
    const url = new URL('./current.js', import.meta.url).href
    const checked = async (from: string): Promise<string> => {
      const { current } = (await import(from)) as typeof import('./current.js')
      current().checkpoint()
      return 'went on'
    }
    assert.equal(await queue.run(checked, [url]), 'went on')
  })
})

describe('a key', () => {
  test('is the same as another where a Map has one entry for them', () => {
    for (const [one, other] of [
      [0, -0],
      [NaN, NaN],
      ['a', 'a'],
      [1, 1n],
      [0, false],
      [{}, {}],
    ])
      assert.equal(isKey(one, other), new Map([[one, 1]]).has(other), String(one))
  })
})

describe('the numbers of names', () => {
  test('come to an end: more names than that are refused with EINVAL, and those before go on', () => {
    const names = new Names(() => {})
    const add = (): void => {
      for (let index = 0; index < 2 ** 22; index++) names.numberOf(`name ${index}`)
    }
    assert.throws(add, invalid)
    assert.equal(names.nameOf(names.numberOf('name 1')), 'name 1')
    assert.equal(names.nameOf(2 ** 30), '')
  })
})

describe('the numbers of shared buffers', () => {
  test('are those that the owner has told of, and no others', () => {
    const buffers = new SharedBuffers(null)
    const buffer = new SharedArrayBuffer(8)
    assert.throws(() => buffers.numberOf(buffer), TypeError)
    buffers.add(7, buffer)
    assert.equal(buffers.numberOf(buffer), 7)
    assert.equal(buffers.bufferOf(7), buffer)
    buffers.remove(7)
    assert.throws(() => buffers.bufferOf(7), TypeError)
  })
})
