import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { EINTR, UserWorker } from './index.js'

checkForLeaks()

const untilStopped = functionOf('async (data, self) => { await self.sleep(60000); return 7 }')
/** Needs so many milliseconds from a stop to its end. */
const cleaningUp = functionOf(`async (ms, self) => {
  await self.sleep(60000)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
}`)

const word = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))

/** Cleans up, or just runs, until the word is not 0, whoever asks for what. */
const heldUp = functionOf(`(gate) => { Atomics.wait(gate, 0, 0); return 11 }`)

function letGo(gate: Int32Array): void {
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
}

/** So many started workers that need some time to clean up. */
async function running(count: number, ms: number): Promise<UserWorker[]> {
  const workers = await Promise.all(
    Array.from({ length: count }, () => UserWorker.create(cleaningUp, { data: ms })),
  )
  await Promise.all(workers.map((worker) => worker.start()))
  return workers
}

describe('stops', () => {
  test('NP-1, KT-13: of others do not wait for one that takes its time', async (t) => {
    const gate = word()
    const slow = await UserWorker.create(heldUp, { data: gate })
    const quicks = await Promise.all(
      Array.from({ length: 5 }, () => UserWorker.create(untilStopped)),
    )
    await Promise.all([slow, ...quicks].map((worker) => worker.start()))
    const slowStop = slow.stop()
    await sleep(50)
    const times: number[] = []
    for (const quick of quicks) {
      const asked = performance.now()
      assert.equal(await quick.stop(), 7)
      times.push(performance.now() - asked)
    }
    times.sort((a, b) => a - b)
    t.diagnostic(`stops beside a slow one: ${times.map((time) => time.toFixed(1)).join(', ')} ms`)
    assert.ok((times[2] ?? Infinity) < 100, 'half of them take less than 100 ms')
    assert.equal(slow.state, 'running')
    letGo(gate)
    assert.equal(await slowStop, 11)
  })

  test('NP-1, KT-13: of 50 workers take as long as the slowest, not as long as all', async (t) => {
    const workers = await running(50, 300)
    const begun = performance.now()
    const codes = await Promise.all(workers.map((worker) => worker.stop()))
    const took = performance.now() - begun
    assert.deepEqual(new Set(codes), new Set([300]))
    t.diagnostic(`50 stops of 300 ms each: ${took.toFixed(0)} ms`)
    assert.ok(took >= 290 && took < 10_000, `${took} ms, and one after the other 15000`)
  })

  test('NP-4, KT-15: are requested of 20 workers at once, and joined when the slowest is done', async (t) => {
    const workers = await running(20, 300)
    const begun = performance.now()
    for (const worker of workers) worker.requestStop()
    const requested = performance.now() - begun
    assert.ok(requested < 290, `20 requests took ${requested} ms: they waited for a clean-up`)
    await Promise.all(workers.map((worker) => worker.join()))
    const took = performance.now() - begun
    t.diagnostic(`20 requests: ${requested.toFixed(2)} ms; joined after ${took.toFixed(0)} ms`)
    assert.ok(took >= 290 && took < 5000, `${took} ms, and one after the other 6000`)
  })

  test('KT-19: end no function that does not look at them: join waits, and gives its own code', async () => {
    const gate = word()
    const spinning = functionOf('(gate) => { while (Atomics.load(gate, 0) === 0); return 11 }')
    const workers = await Promise.all(
      [spinning, heldUp].map((module) => UserWorker.create(module, { data: gate })),
    )
    await Promise.all(workers.map((worker) => worker.start()))
    const stopped = workers.map((worker) => worker.stop())
    await sleep(100)
    for (const worker of workers) {
      assert.deepEqual([worker.state, worker.exitCode], ['running', null])
    }
    letGo(gate)
    assert.deepEqual(await Promise.all(stopped), [11, 11])
  })

  test('INV-KT-5: are seen whenever they come: before a sleep, in it, and between two, in 60 rounds', async () => {
    for (let round = 0; round < 60; round++) {
      const sleeping = round % 2 === 0 ? 'await self.sleep(60000)' : 'self.sleepSync(60000)'
      const worker = await UserWorker.create(
        functionOf(`async (turns, self) => {
          for (let turn = 0; turn < turns; turn++) {
            if (await self.sleep(0) !== 0) return turn
            if (self.sleepSync(0) !== 0) return turn
          }
          return ${sleeping}
        }`),
        { data: (round % 6) * 20 },
      )
      const started = worker.start()
      if (round % 3 > 0) await started
      if (round % 5 > 0) await sleep(round % 5)
      const begun = performance.now()
      const code = await worker.stop()
      assert.ok(performance.now() - begun < 5000, `round ${round}`)
      assert.ok(code === EINTR || code >= 0, `${code}`)
      await started
    }
  })

  test('BUG-KT-2: leave a worker that answers everything in every state, also while it exits', async () => {
    const exiting = word()
    const worker = await UserWorker.create(
      functionOf(`async (exiting, self) => {
        process.on('exit', () => {
          Atomics.store(exiting, 0, 1)
          Atomics.wait(exiting, 0, 1)
        })
        await self.sleep(60000)
        return self.shouldStop() ? 5 : 6
      }`),
      { name: 'asked', data: exiting },
    )
    const asked = (): unknown[] => [worker.name, worker.state, worker.entered, worker.exitCode]
    const { id, osThreadId } = worker
    assert.deepEqual(asked(), ['asked', 'created', false, null])
    await worker.start()
    assert.deepEqual(asked(), ['asked', 'running', true, null])
    worker.requestStop()
    await until('it exits', () => exiting[0] === 1)
    assert.deepEqual(asked(), ['asked', 'exited', true, null], 'its thread is not gone yet')
    worker.requestStop()
    assert.equal(await worker.start(), true)
    Atomics.store(exiting, 0, 2)
    Atomics.notify(exiting, 0)
    assert.equal(await worker.join(), 5)
    assert.deepEqual(asked(), ['asked', 'exited', true, 5])
    assert.deepEqual([worker.id, worker.osThreadId], [id, osThreadId])
  })
})
