import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, closeSync, rmSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker, UserWorkerError } from '../index.js'
import { MessageChannel } from '../os/thread.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)

async function started(text: string, data: unknown = null, name = 'seen'): Promise<UserWorker> {
  const worker = await UserWorker.create(functionOf(text), { name, data })
  await worker.start()
  return worker
}

/** Waits until a worker is described so, for at most a minute. */
async function until(
  worker: UserWorker,
  isSo: (it: ReturnType<UserWorker['describe']>) => boolean,
) {
  let it = worker.describe()
  for (let left = 12_000; !isSo(it) && left > 0; left--) {
    await sleep(5)
    it = worker.describe()
  }
  assert.ok(isSo(it), `after a minute it is ${JSON.stringify(it)}`)
  return it
}

describe('a description', () => {
  test('tells of a worker in each state who and where it is, and what it waits for', async () => {
    const worker = await UserWorker.create(
      functionOf('async (data, self) => { while (!self.shouldStop()) await self.sleep(60000) }'),
      { name: 'seen', nice: 2 },
    )
    const { thread, ...created } = await until(worker, (it) => it.waitsFor === 'start')
    assert.deepEqual(created, {
      id: worker.id,
      name: 'seen',
      parentId: null,
      osThreadId: worker.osThreadId,
      state: 'created',
      entered: false,
      stopRequested: false,
      madeFrom: 'thread',
      waitsFor: 'start',
      joins: [],
      exitCode: null,
    })
    assert.ok(thread !== null && thread.cpuMs > 0 && (thread.cpus?.length ?? 0) > 0)
    assert.equal(thread.nice, 2)
    await worker.start()
    const isAsleep = /^sleeping in epoll_p?wait2?$/
    const sleeping = await until(
      worker,
      (it) => it.waitsFor === 'sleep' && isAsleep.test(it.thread?.where ?? ''),
    )
    assert.deepEqual([sleeping.state, sleeping.entered], ['running', true])
    await worker.park()
    const parked = await until(worker, (it) => it.thread?.where === 'sleeping in futex')
    assert.deepEqual([parked.state, parked.waitsFor], ['parked', 'unpark'])
    await worker.stop()
    const { state, stopRequested, exitCode, thread: gone } = worker.describe()
    assert.deepEqual([state, stopRequested, exitCode, gone], ['exited', true, 0, null])
  })

  test('tells of a worker that spins that it runs, and counts its CPU time', async () => {
    const worker = await started('(data, self) => { while (!self.shouldStop()); }')
    const before = worker.describe().thread?.cpuMs ?? 0
    // Now and then V8 has the thread wait for a moment: for its compiler, say.
    const { waitsFor } = await until(
      worker,
      ({ thread }) => thread?.where === 'running' && thread.cpuMs > before,
    )
    assert.equal(waitsFor, 'nothing')
    await worker.stop()
  })

  test('names the worker that made this one', async () => {
    const { port1, port2 } = new MessageChannel()
    const maker = await UserWorker.create(
      moduleOf(`
        import { UserWorker } from ${index}
        export default async (port, self) => {
          const below = await UserWorker.create('data:text/javascript,export default () => {}')
          port.postMessage(below.describe().parentId)
          port.close()
          await below.stop()
        }`),
      { data: port2, transfer: [port2] },
    )
    const told = new Promise((resolve) => {
      port1.once('message', resolve)
    })
    await maker.start()
    assert.equal(await told, maker.id)
    port1.close()
    assert.equal(await maker.join(), 0)
  })
})

describe('a stop with a deadline', () => {
  test('KT-19: reports who is stuck and where, forces nothing, and can be asked again', async () => {
    const go = new Int32Array(new SharedArrayBuffer(4))
    const worker = await started(
      '(go) => { while (Atomics.load(go, 0) === 0); return 12 }',
      go,
      'deaf',
    )
    const begin = performance.now()
    const error = await worker.stop({ deadlineMs: 60 }).catch((thrown: unknown) => thrown)
    assert.ok(performance.now() - begin >= 59)
    assert.ok(error instanceof UserWorkerError)
    assert.equal(error.code, 'ETIME')
    const where = { name: 'deaf', osThreadId: worker.osThreadId, where: 'running' }
    assert.deepEqual(error.stuck, [where])
    assert.match(
      error.message,
      /^Worker 'deaf' has not stopped within 60 ms: 'deaf' \(thread \d+\)/,
    )
    assert.equal(worker.state, 'running')
    Atomics.store(go, 0, 1)
    assert.equal(await worker.stop({ deadlineMs: 60_000 }), 12)
  })

  test('names the system call that a thread is blocked in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const worker = await UserWorker.create(
      moduleOf(`
        import { openSync, closeSync } from 'node:fs'
        export default (fifo) => { closeSync(openSync(fifo, 'r')); return 3 }`),
      { data: fifo },
    )
    await worker.start()
    await until(worker, (it) => it.thread?.where === 'sleeping in openat')
    await assert.rejects(worker.stop({ deadlineMs: 20 }), /sleeping in openat/)
    closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK))
    assert.equal(await worker.join(), 3)
    rmSync(folder, { recursive: true })
  })

  test('names the worker at the end of a chain of stops, not those that wait for it', async () => {
    const go = new Int32Array(new SharedArrayBuffer(8))
    const deaf = functionOf('(go) => { while (Atomics.load(go, 0) === 0); return 12 }')
    const worker = await UserWorker.create(
      moduleOf(`
        import { UserWorker } from ${index}
        export default async ({ go, deaf }, self) => {
          const below = await UserWorker.create(deaf, { name: 'below', data: go })
          await below.start()
          while (!self.shouldStop()) await self.sleep(60000)
          const stopped = below.stop()
          Atomics.store(go, 1, 1)
          return stopped
        }`),
      { name: 'above', data: { go, deaf: deaf.href } },
    )
    await worker.start()
    await until(worker, (it) => it.waitsFor === 'sleep')
    worker.requestStop()
    // It waits for the one below a moment before it tells that one to stop.
    await until(worker, (it) => it.joins.length === 1 && Atomics.load(go, 1) === 1)
    const error = await worker.stop({ deadlineMs: 50 }).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof UserWorkerError)
    assert.deepEqual(
      error.stuck?.map(({ name, where }) => [name, where]),
      [['below', 'running']],
    )
    Atomics.store(go, 0, 1)
    assert.equal(await worker.join(), 12)
  })

  test('ends in time without a word, and refuses a deadline that is none', async () => {
    const worker = await UserWorker.create(functionOf('() => {}'))
    assert.equal(await worker.stop({ deadlineMs: 10_000 }), EINTR)
    await assert.rejects(worker.stop({ deadlineMs: -1 }), { code: 'EINVAL' })
    await assert.rejects(worker.stop({ deadline: 1 } as never), { code: 'EINVAL' })
  })
})
