import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner } from '../worker/index.js'
import { failureOf, word } from './contract/support.fixture.js'
import { WorkQueue, type WorkQueueOptions } from './index.js'

checkForLeaks()

type Handlers = typeof import('./thaw.fixture.js')
const module = new URL('./thaw.fixture.js', import.meta.url)
const make = (options: WorkQueueOptions): WorkQueue<Handlers> => new WorkQueue(module, options)

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

test('an owner that is stopped waits for a worker that its queue has given up', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uw-fifo-'))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const owner = new Owner()
  const queue = make({ name: 'given-up', owner, closeDeadlineMs: 1 })
  const begun = word()
  const failure = failureOf(queue.run('reading', [fifo, begun]))
  await until('it reads', () => begun[0] === 1)
  const stopped = owner.stop()
  assert.deepEqual([(await failure).code, (await queue.close()).stuck.length], ['ECANCELED', 1])
  await assert.rejects(owner.stop({ deadlineMs: 100 }), { code: 'ETIME', message: /given-up-1/ })
  // Never blocks, whoever reads.
  const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  setTimeout(() => closeSync(writer), 100)
  await stopped
  assert.deepEqual(owner.workers(), [])
  rmSync(folder, { recursive: true })
})

test('a worker that stands in a system call when its queue and owner end keeps its row to itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uw-fifo-'))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const owner = new Owner()
  const queue = make({ name: 'old', owner, closeDeadlineMs: 1 })
  const begun = word()
  const failure = failureOf(queue.run('reading', [fifo, begun]))
  await until('it reads', () => begun[0] === 1)
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
  // Never blocks, whoever reads.
  const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  setTimeout(() => closeSync(writer), 100)
  await until('its thread has ended', () => !names().includes('old-1'))
  assert.deepEqual(names(), ['new-1'])
  await Promise.all([other.close(), owner.stop()])
  rmSync(folder, { recursive: true })
})
