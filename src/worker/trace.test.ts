import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker, type TraceMessage } from './index.js'

checkForLeaks()

const events = ['create', 'start', 'park', 'unpark', 'stop', 'stop-ret', 'kill', 'exit'] as const

const untilStopped = functionOf(
  'async (data, self) => { while (!self.shouldStop()) await self.sleep(60000); return 7 }',
)

describe('the trace channels', () => {
  let heard: string[] = []
  const listeners = events.map((event) => ({
    channel: `userworker:${event}`,
    listener: (message: unknown): void => {
      const { worker, code, error } = message as TraceMessage
      const facts = [event, worker.name, code, error === null ? 'no error' : error?.message]
      heard.push(facts.filter((fact) => fact !== undefined).join(' '))
    },
  }))
  beforeEach(() => {
    heard = []
    for (const { channel, listener } of listeners) subscribe(channel, listener)
  })
  afterEach(() => {
    for (const { channel, listener } of listeners) unsubscribe(channel, listener)
  })

  test("KT-27: tell a worker's whole life, in order", async () => {
    const worker = await UserWorker.create(untilStopped, { name: 'told' })
    await worker.start()
    await worker.park()
    worker.unpark()
    worker.unpark()
    assert.equal(await worker.stop(), 7)
    assert.deepEqual(heard, [
      'create told',
      'start told',
      'park told',
      'unpark told',
      'stop told',
      'exit told 7 no error',
      'stop-ret told 7',
    ])
  })

  test('INV-KT-8, KT-27: tell of each stop that it began, and at most once that it returned', async () => {
    const worker = await UserWorker.create(untilStopped, { name: 'w' })
    await Promise.all([worker.stop(), worker.stop()])
    await worker.stop()
    const stops = heard.filter((line) => line.startsWith('stop '))
    const returns = heard.filter((line) => line === `stop-ret w ${EINTR}`)
    assert.deepEqual([stops.length, returns.length], [3, 3])
    assert.ok(heard.indexOf('stop w') < heard.indexOf(`stop-ret w ${EINTR}`))
  })

  test('KT-27: tell a stop that was given up no return, and a kill with what it did', async () => {
    const deaf = await UserWorker.create(functionOf('() => { for (;;); }'), { name: 'deaf' })
    await deaf.start()
    await assert.rejects(deaf.stop({ deadlineMs: 20 }), { code: 'ETIME' })
    deaf.kill()
    await deaf.join()
    assert.deepEqual(heard.slice(2), [
      'stop deaf',
      'kill deaf',
      "exit deaf -9 Worker 'deaf' was killed",
    ])
  })

  test('tell of the end also when the worker ended before its creation was heard of', async () => {
    const mayfly = moduleOf('setTimeout(() => process.exit(5), 1); export default () => 7')
    for (let round = 0; round < 5; round++) {
      const creating = UserWorker.create(mayfly, { name: 'mayfly' })
      // Until the thread was made and is gone, this thread hears nothing.
      const until = performance.now() + 150
      while (performance.now() < until);
      await creating.then(
        (worker) => worker.join(),
        () => {},
      )
    }
    const count = (line: RegExp): number => heard.filter((each) => line.test(each)).length
    assert.equal(count(/^exit mayfly -4/), count(/^create mayfly$/))
  })

  test('a listener that throws disturbs no worker', async () => {
    const errors: unknown[] = []
    const fail = (): void => {
      throw new Error('from a listener')
    }
    const keep = (error: unknown): void => {
      errors.push(error)
    }
    // The test runner has a listener of its own, which would fail the test.
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', keep)
    subscribe('userworker:stop', fail)
    try {
      const worker = await UserWorker.create(untilStopped)
      await worker.start()
      assert.equal(await worker.stop(), 7)
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
      })
    } finally {
      unsubscribe('userworker:stop', fail)
      process.removeListener('uncaughtException', keep)
      for (const other of others) process.on('uncaughtException', other)
    }
    assert.equal(errors.length, 1)
  })
})
