import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner } from '../worker/index.js'
import { failureOf, word, type Coded } from './contract/support.fixture.js'
import { WorkQueue, type WorkQueueOptions } from './index.js'

checkForLeaks()

type Handlers = typeof import('./thaw.fixture.js')
const module = new URL('./thaw.fixture.js', import.meta.url)
const make = (options: WorkQueueOptions): WorkQueue<Handlers> => new WorkQueue(module, options)

interface Reading {
  readonly owner: Owner
  readonly queue: WorkQueue<Handlers>
  /** What becomes of the work. */
  readonly failure: Promise<Coded>
  /** Ends the system call, soon. */
  readonly letGo: () => void
}

/** A queue whose worker stands in a system call: it reads where nobody writes. */
async function reading(t: TestContext, name: string): Promise<Reading> {
  const folder = mkdtempSync(join(tmpdir(), 'uw-fifo-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const owner = new Owner()
  const queue = make({ name, owner, closeDeadlineMs: 1 })
  const begun = word()
  const failure = failureOf(queue.run('reading', [fifo, begun]))
  await until('it reads', () => begun[0] === 1)
  const letGo = (): void => {
    // Never blocks, whoever reads.
    const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    setTimeout(() => closeSync(writer), 100)
  }
  return { owner, queue, failure, letGo }
}

describe('a queue that is closed after its owner has ended', () => {
  test('without ever having had a work, just closes', async () => {
    const owner = new Owner()
    const queue = make({ owner })
    await owner.stop()
    assert.deepEqual(await queue.close(), { stuck: [] })
  })

  test('stops nobody who has its row by now', async () => {
    const owner = new Owner()
    const queues = Array.from({ length: 4 }, () => make({ owner }))
    for (const queue of queues) {
      await queue.freeze()
      queue.thaw()
    }
    await owner.stop()
    await using other = make({ maxWorkers: 4 })
    await Promise.all(queues.map((queue) => queue.close()))
    assert.deepEqual(
      await Promise.all([1, 2, 3].map((each) => other.run('echo', [each]))),
      [1, 2, 3],
    )
  })
})

test('an owner that is stopped waits for a worker that its queue has given up', async (t) => {
  const { owner, queue, failure, letGo } = await reading(t, 'given-up')
  const stopped = owner.stop()
  assert.deepEqual([(await failure).code, (await queue.close()).stuck.length], ['ECANCELED', 1])
  await assert.rejects(owner.stop({ deadlineMs: 100 }), { code: 'ETIME', message: /given-up-1/ })
  letGo()
  await stopped
  assert.deepEqual(owner.workers(), [])
})

test('a worker that stands in a system call when its queue and owner end keeps its row to itself', async (t) => {
  const { owner, queue, failure, letGo } = await reading(t, 'old')
  await sleep(200)
  const { stuck } = await queue.close()
  assert.deepEqual([stuck.length, (await failure).code], [1, 'ECANCELED'])
  await assert.rejects(owner.stop({ deadlineMs: 10 }), { code: 'ETIME', message: /old-1/ })
  const names = (): string[] =>
    Owner.current()
      .workers()
      .map(({ name }) => name)
  assert.deepEqual(names(), ['old-1'])
  const other = make({ name: 'new', maxWorkers: 1 })
  await other.run('echo', [1])
  assert.deepEqual(names().toSorted(), ['new-1', 'old-1'])
  letGo()
  await until('its thread has ended', () => !names().includes('old-1'))
  assert.deepEqual(names(), ['new-1'])
  await Promise.all([other.close(), owner.stop()])
})
