import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { UserWorkerError, WorkQueue, type WorkQueueOptions } from '../../index.js'
import { now } from '../../os/clock.js'
import { until } from '../../os/own-thread.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { childrenOf } from './children.fixture.js'
import type * as Handlers from './isolated.fixture.js'

checkForLeaks()

const handlers = new URL('./isolated.fixture.js', import.meta.url)
type Queue = WorkQueue<typeof Handlers>

const make = (options: WorkQueueOptions = {}): Queue =>
  new WorkQueue(handlers, { isolation: 'process', maxWorkers: 1, ...options })

type Coded = Error & { code?: string; exitCode?: number; cause?: Error & { code?: string } }

const failureOf = (promise: Promise<unknown>): Promise<Coded> =>
  promise.then(
    () => assert.fail('must reject'),
    (error: unknown) => error as Coded,
  )

/** What no death here takes, on a loaded machine. */
const patienceMs = 60_000

describe('a child process that ends rejects its work', () => {
  const ways: [string, (queue: Queue) => Promise<unknown>, string, RegExp][] = [
    ['exits with 7', (queue) => queue.run('exit', [7]), 'ERR_WORKER_EXITED', /exit\(7\)/],
    ['exits with 0', (queue) => queue.run('exit', [0]), 'ERR_WORKER_EXITED', /exit\(0\)/],
    [
      'is left by reallyExit',
      (queue) => queue.run('reallyExit', [5]),
      'ERR_WORKER_EXITED',
      /exit\(5\)/,
    ],
    [
      'throws in a timer',
      (queue) => queue.run('throwInTimer'),
      'ERR_WORKER_DIED',
      /from the timer/,
    ],
    ['rejects unhandled', (queue) => queue.run('rejectUnhandled'), 'ERR_WORKER_DIED', /unhandled/],
    ['is killed', (queue) => queue.run('killSelf', ['SIGKILL']), 'ERR_WORKER_DIED', /SIGKILL/],
    ['crashes', (queue) => queue.run('killSelf', ['SIGSEGV']), 'ERR_WORKER_DIED', /SIGSEGV/],
    ['calls process.abort', (queue) => queue.run('abort'), 'ERR_WORKER_DIED', /SIGABRT/],
    ['fills its heap', (queue) => queue.run('fillHeap'), 'ERR_WORKER_OUT_OF_MEMORY', /maxOld/],
    [
      'allocates more than its heap at once',
      (queue) => queue.run('allocateMuch'),
      'ERR_WORKER_OUT_OF_MEMORY',
      /maxOld/,
    ],
    [
      'makes an array that is too long',
      (queue) => queue.run('allocateTooMuch'),
      'ERR_WORKER_OUT_OF_MEMORY',
      /too large for V8/,
    ],
  ]
  for (const [way, act, code, text] of ways) {
    test(`when it ${way}, with ${code}, and the next one runs`, async () => {
      await using queue = make({ resourceLimits: { maxOldGenerationSizeMb: 32 } })
      await queue.ready()
      const began = now()
      const [error, sum] = await Promise.all([failureOf(act(queue)), queue.run('add', [1, 2])])
      assert.ok(now() - began < patienceMs)
      assert.ok(error instanceof UserWorkerError)
      assert.deepEqual([error.code, sum], [code, 3])
      assert.match(error.message, text)
      if (code === 'ERR_WORKER_OUT_OF_MEMORY') assert.ok(error.cause instanceof Error)
      if (/timer|unhandled/.test(way)) {
        assert.ok(error.cause instanceof RangeError)
        assert.deepEqual([error.cause.name, (error.cause as Coded).code], ['OwnError', 'E_OWN'])
      }
    })
  }

  test('when it is killed from outside, with ERR_WORKER_DIED and the name of the signal', async () => {
    await using queue = make()
    await queue.ready()
    const work = failureOf(queue.run('spin'))
    await until('the work runs', () => queue.workers()[0]?.work !== null)
    const processId = queue.workers()[0]?.processId
    assert.equal(typeof processId, 'number')
    process.kill(processId as number, 'SIGKILL')
    const error = await work
    assert.deepEqual([error.code, /SIGKILL/.test(error.message)], ['ERR_WORKER_DIED', true])
    assert.equal(await queue.run('add', [1, 2]), 3)
    assert.notEqual(queue.workers()[0]?.processId, processId)
  })

  test('and no other: each of 100 in flight settles once, and none runs twice', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'userworker-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'began')
    await using queue = make({ maxWorkers: 2, concurrency: 60 })
    await queue.ready()
    let settled = 0
    const works = Array.from({ length: 100 }, (_, place) =>
      queue.run('mark', [file, place, place === 50]).finally(() => settled++),
    )
    const ends = await Promise.allSettled(works)
    assert.equal(settled, 100)
    for (const [place, end] of ends.entries()) {
      if (end.status === 'fulfilled') assert.equal(end.value, place)
      else assert.match((end.reason as Error).message, /SIGKILL/)
    }
    assert.equal(ends[50]?.status, 'rejected')
    const began = readFileSync(file, 'utf8').trim().split('\n')
    assert.equal(new Set(began).size, began.length, 'a work ran twice')
    assert.equal(await queue.run('add', [1, 2]), 3)
  })
})

describe('a child process that is to end by force', () => {
  test('is gone at once after killAfterMs, even in a loop, and the next work runs', async () => {
    await using queue = make()
    await queue.ready()
    const pid = queue.workers()[0]?.processId
    const error = await failureOf(queue.run('spin', [], { timeoutMs: 30, killAfterMs: 10 }))
    assert.equal(error.code, 'ETIME')
    assert.equal(await queue.run('add', [1, 2]), 3)
    await until('no dead child is left', () => !childrenOf().some((child) => child.pid === pid))
  })

  test('is gone when close gives up on it, and close says what it ran', async () => {
    const queue = make({ closeDeadlineMs: 200 })
    await queue.ready()
    const work = failureOf(queue.run('spin'))
    await until('the work runs', () => queue.workers()[0]?.work !== null)
    const { stuck } = await queue.close()
    assert.equal(stuck[0]?.work, 'spin')
    assert.equal((await work).code, 'ECANCELED')
    await until('no child is left, not even a dead one', () => childrenOf().length === 0)
  })

  test('is gone when its module does not finish loading', async () => {
    const text = 'for (;;);'
    await using queue = new WorkQueue(`data:text/javascript,${text}`, {
      isolation: 'process',
      loadDeadlineMs: 600,
    })
    const error = await failureOf(queue.run('any'))
    assert.equal(error.code, 'ERR_MODULE_LOAD_TIMEOUT')
    await until('no child is left, not even a dead one', () => childrenOf().length === 0)
  })
})

test('close leaves no process, with idle workers, with works, and while they are made', async () => {
  for (const way of ['idle', 'busy', 'booting'] as const) {
    const queue = make({ maxWorkers: 2, minWorkers: 2 })
    if (way !== 'booting') await queue.ready()
    const work = way === 'idle' ? null : queue.run('add', [1, 2])
    await queue.close()
    if (work !== null) assert.equal(await work, 3)
    await until('no child is left, not even a dead one', () => childrenOf().length === 0)
  }
})
