import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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
    const [slow] = await running(1, 2000)
    const quicks = await Promise.all(
      Array.from({ length: 5 }, () => UserWorker.create(untilStopped)),
    )
    await Promise.all(quicks.map((quick) => quick.start()))
    const begun = performance.now()
    const slowStop = slow?.stop()
    await sleep(50)
    const times: number[] = []
    for (const quick of quicks) {
      const asked = performance.now()
      assert.equal(await quick.stop(), 7)
      times.push(performance.now() - asked)
    }
    times.sort((a, b) => a - b)
    t.diagnostic(`stops beside one of 2 s: ${times.map((time) => time.toFixed(1)).join(', ')} ms`)
    assert.ok((times[2] ?? Infinity) < 100, 'half of them take less than 100 ms')
    assert.equal(slow?.state, 'running')
    assert.equal(await slowStop, 2000)
    assert.ok(performance.now() - begun >= 1990)
  })

  test('NP-1, KT-13: of 50 workers take as long as the slowest, not as long as all', async (t) => {
    const workers = await running(50, 300)
    const begun = performance.now()
    const codes = await Promise.all(workers.map((worker) => worker.stop()))
    const took = performance.now() - begun
    assert.deepEqual(new Set(codes), new Set([300]))
    t.diagnostic(`50 stops of 300 ms each: ${took.toFixed(0)} ms`)
    assert.ok(took >= 290 && took < 5000, `${took} ms, and one after the other 15000`)
  })

  test('NP-4, KT-15: are requested of 20 workers at once, and joined when the slowest is done', async (t) => {
    const workers = await running(20, 100)
    const begun = performance.now()
    for (const worker of workers) worker.requestStop()
    const requested = performance.now() - begun
    assert.ok(requested < 50, `20 requests took ${requested} ms`)
    await Promise.all(workers.map((worker) => worker.join()))
    const took = performance.now() - begun
    t.diagnostic(`20 requests: ${requested.toFixed(2)} ms; joined after ${took.toFixed(0)} ms`)
    assert.ok(took >= 95 && took < 1500, `${took} ms, and one after the other 2000`)
  })

  test('KT-19: end no function that does not look at them: join waits, and gives its own code', async () => {
    const worker = await UserWorker.create(
      functionOf(`() => {
        const until = performance.now() + 400
        while (performance.now() < until);
        return 11
      }`),
    )
    await worker.start()
    const begun = performance.now()
    const stopped = worker.stop()
    await sleep(100)
    assert.deepEqual([worker.state, worker.exitCode], ['running', null])
    assert.equal(await stopped, 11)
    assert.ok(performance.now() - begun > 250)
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
    const exiting = new Int32Array(new SharedArrayBuffer(4))
    const worker = await UserWorker.create(
      functionOf(`async (exiting, self) => {
        process.on('exit', () => {
          Atomics.store(exiting, 0, 1)
          Atomics.wait(exiting, 0, 1, 150)
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
    while (Atomics.load(exiting, 0) === 0) await sleep(1)
    assert.deepEqual(asked(), ['asked', 'exited', true, null], 'its thread is not gone yet')
    worker.requestStop()
    assert.equal(await worker.start(), true)
    assert.equal(await worker.join(), 5)
    assert.deepEqual(asked(), ['asked', 'exited', true, 5])
    assert.deepEqual([worker.id, worker.osThreadId], [id, osThreadId])
  })
})
