import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Owner, WorkQueue } from '../index.js'
import type { Worker } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)

/** The threads that are made in a test. */
function threadsOf(t: TestContext): Worker[] {
  const threads: Worker[] = []
  const listener = (thread: Worker): unknown => threads.push(thread)
  process.on('worker', listener as never)
  t.after(() => process.off('worker', listener as never))
  return threads
}

/** Long enough for a thread to claim a work; if it has not, the work is pending, and runs as well. */
function block(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
}

describe('a work that was claimed and had not begun when its thread ended', () => {
  test('runs on the next thread, once, and those behind it in their order', async (t) => {
    const threads = threadsOf(t)
    await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    const first = await queue.run('thread')
    const counter = word()
    // A Blob goes by message: the worker claims its work and waits for this thread, which is busy.
    const arrived = queue.run('countOn', [counter, new Blob([''])] as never, { key: 'k' })
    const behind = [1, 2, 3].map(() => queue.run('count', [counter], { key: 'k' }))
    block()
    void threads.at(-1)?.terminate()
    assert.notEqual(await arrived, first)
    assert.deepEqual(await Promise.all(behind), [2, 3, 4])
    assert.equal(queue.stats().failed, 0)
  })

  test('and whose arguments were moved to that thread, fails or runs, but not both', async (t) => {
    const threads = threadsOf(t)
    await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    await queue.run('nothing')
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const counter = word()
    const work = queue.run('countOn', [counter, port2] as never, { transfer: [port2] })
    block()
    void threads.at(-1)?.terminate()
    const code = await work.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    )
    await queue.run('nothing')
    assert.deepEqual([code, counter[0]], counter[0] === 1 ? ['done', 1] : ['ERR_WORKER_DIED', 0])
  })

  test('and was cancelled meanwhile, does not run', async (t) => {
    const threads = threadsOf(t)
    await using queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    await queue.run('nothing')
    const [counter, controller] = [word(), new AbortController()]
    const args = [counter, new Blob([''])] as never
    const work = queue.run('countOn', args, { signal: controller.signal })
    block()
    void threads.at(-1)?.terminate()
    controller.abort()
    assert.equal((await failureOf(work)).code, 'ABORT_ERR')
    await queue.run('nothing')
    assert.equal(counter[0], 0)
  })

  test('is cancelled where the queue closes and no other thread is made', async (t) => {
    const threads = threadsOf(t)
    const queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1 })
    await queue.run('nothing')
    const work = queue.run('countOn', [word(), new Blob([''])] as never)
    block()
    void threads.at(-1)?.terminate()
    const closed = queue.close()
    assert.equal((await failureOf(work)).code, 'ECANCELED')
    await closed
  })

  test('rejects with ERR_OWNER_KILLED where its owner was killed', async () => {
    const owner = new Owner({ name: 'given-back' })
    const queue = new WorkQueue<typeof Handlers>(handlers, { maxWorkers: 1, owner })
    await queue.run('nothing')
    const work = queue.run('countOn', [word(), new Blob([''])] as never)
    block()
    owner.kill(new Error('the reason'))
    assert.equal((await failureOf(work)).code, 'ERR_OWNER_KILLED')
    await queue.close()
  })

  test('fails when a second thread ends too: reading its arguments may be what ends them', async (t) => {
    const threads = threadsOf(t)
    const text = `export const length = (list) => list.length
      export const add = (a, b) => a + b`
    // Three times what a thread has at its start, with any Node; the list takes some 30 MB.
    const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 }
    await using queue = new WorkQueue(moduleOf(text), { maxWorkers: 1, resourceLimits })
    await queue.run('add', [1, 2])
    // Some bytes each here, and many more each there.
    const list = Array.from({ length: 400_000 }, (_, index) => ({ index }))
    const error = await failureOf(queue.run('length', [list]))
    assert.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
    assert.equal(threads.length, 2)
    assert.equal(await queue.run('add', [1, 2]), 3)
  })
})
