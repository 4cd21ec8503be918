import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker } from './index.js'

checkForLeaks()

const words = (count = 1): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

/** Counts without a pause, and looks for requests each time. */
const busy = functionOf(`(beat, self) => {
  while (!self.shouldStop()) { self.checkpoint(); Atomics.add(beat, 0, 1) }
  return 7
}`)

/** Counts in its event loop, and never looks for anything. */
const ticking = functionOf(`async (beat, self) => {
  const timer = setInterval(() => Atomics.add(beat, 0, 1), 1)
  while (!self.shouldStop()) await self.sleep(60000)
  clearInterval(timer)
  return 7
}`)

async function started(module: URL, beat: Int32Array): Promise<UserWorker> {
  const worker = await UserWorker.create(module, { data: beat })
  await worker.start()
  while (beat[0] === 0) await turn()
  return worker
}

/** Waits until the worker has counted on. */
function countsOn(beat: Int32Array): Promise<void> {
  const before = Atomics.load(beat, 0)
  return until('it counts on', () => Atomics.load(beat, 0) !== before)
}

describe('a parked worker', () => {
  async function standsStill(module: URL): Promise<void> {
    const beat = words()
    const worker = await started(module, beat)
    await worker.park()
    assert.equal(worker.state, 'parked')
    const before = Atomics.load(beat, 0)
    await sleep(15)
    assert.equal(Atomics.load(beat, 0), before)
    worker.unpark()
    await countsOn(beat)
    assert.equal(worker.state, 'running')
    assert.equal(await worker.stop(), 7)
  }

  test('KT-20, KT-21, INV-KT-7: stands still at a checkpoint of a loop that never awaits', () =>
    standsStill(busy))

  test('KT-20, KT-21, INV-KT-7: stands still in its event loop, whatever its timers do', () =>
    standsStill(ticking))

  test('KT-20: is told to park once: a second time is EBUSY, and once it has exited ENOSYS', async () => {
    const worker = await started(ticking, words())
    const first = worker.park()
    await assert.rejects(worker.park(), { code: 'EBUSY' })
    await first
    await assert.rejects(worker.park(), { code: 'EBUSY' })
    worker.requestStop()
    await assert.rejects(worker.park(), { code: 'ENOSYS' })
    assert.equal(await worker.join(), 7)
    await assert.rejects(worker.park(), { code: 'ENOSYS' })
  })

  test('KT-22: an unpark of a worker that was not told to park does nothing', async () => {
    const beat = words()
    const worker = await started(ticking, beat)
    worker.unpark()
    await countsOn(beat)
    await worker.park()
    worker.unpark()
    worker.unpark()
    await countsOn(beat)
    assert.equal(await worker.stop(), 7)
    worker.unpark()
  })

  test('KT-22: an unpark takes back a park that has not come about, which is told', async () => {
    const gate = words()
    const worker = await UserWorker.create(
      functionOf('(gate, self) => { Atomics.wait(gate, 0, 0); return self.checkpoint() ? 1 : 0 }'),
      { data: gate },
    )
    await worker.start()
    const parked = worker.park()
    worker.unpark()
    await assert.rejects(parked, { code: 'ECANCELED' })
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    assert.equal(await worker.join(), 0)
  })

  test('KT-23: a worker parked before its function was called calls it when it is let go', async () => {
    const calls = words()
    const worker = await UserWorker.create(
      functionOf('(calls) => { Atomics.add(calls, 0, 1); return 3 }'),
      { data: calls },
    )
    await worker.park()
    const entry = worker.start()
    await sleep(15)
    assert.deepEqual([worker.entered, calls[0]], [false, 0])
    worker.unpark()
    assert.equal(await entry, true)
    assert.deepEqual([await worker.join(), calls[0]], [3, 1])
  })

  test('KT-24: is let go by a stop, and notices it by itself', async () => {
    for (const module of [busy, ticking]) {
      const worker = await started(module, words())
      await worker.park()
      assert.equal(await worker.stop(), 7)
    }
  })

  test('INV-KT-6: parked before its function and then stopped, it never calls it', async () => {
    for (let round = 0; round < 10; round++) {
      const calls = words()
      const worker = await UserWorker.create(functionOf('(calls) => Atomics.add(calls, 0, 1)'), {
        data: calls,
      })
      await worker.park()
      assert.equal(await worker.stop(), EINTR)
      assert.equal(calls[0], 0)
    }
  })

  test('is only one that was told to park: a stop parks nobody on its way', async () => {
    const worker = await UserWorker.create(
      functionOf('(data, self) => self.sleepSync(60000) === -4 && !self.checkpoint() ? 5 : 1'),
    )
    await worker.start()
    assert.equal(await worker.stop(), 5)
  })

  test('can be killed, and its death settles a park that never came about', async () => {
    const parked = await started(ticking, words())
    await parked.park()
    parked.kill()
    assert.equal(await parked.join(), -9)
    const deaf = await UserWorker.create(functionOf('() => { for (;;); }'))
    await deaf.start()
    const pending = deaf.park()
    deaf.kill()
    await assert.rejects(pending, { code: 'ENOSYS' })
  })

  test('is told ENOSYS when it stops itself before the park comes about', async () => {
    const word = words()
    const worker = await started(
      functionOf(`async (word, self) => {
        Atomics.store(word, 0, 1)
        Atomics.wait(word, 0, 1)
        self.requestStop()
        await new Promise((resolve) => setTimeout(resolve, 10000))
      }`),
      word,
    )
    const pending = worker.park()
    Atomics.store(word, 0, 2)
    Atomics.notify(word, 0)
    await assert.rejects(pending, { code: 'ENOSYS' })
    assert.equal(worker.exitCode, null)
    worker.kill()
    await worker.join()
  })

  test('is told ENOSYS when a stop comes before the park does', async () => {
    const deaf = await UserWorker.create(
      functionOf('(data, self) => { while (!self.shouldStop()); return 4 }'),
    )
    await deaf.start()
    const pending = deaf.park()
    deaf.requestStop()
    await assert.rejects(pending, { code: 'ENOSYS' })
    assert.equal(await deaf.join(), 4)
  })

  test('sleeps on when it is let go: what is left of a sleep is slept', async () => {
    for (const sleeping of ['self.sleepSync(150)', 'await self.sleep(150)']) {
      const worker = await UserWorker.create(
        functionOf(`async (data, self) => {
          const begin = performance.now()
          const left = ${sleeping}
          return left === 0 && performance.now() - begin >= 149 ? 6 : 1
        }`),
      )
      await worker.start()
      await worker.park()
      await sleep(20)
      worker.unpark()
      assert.equal(await worker.join(), 6, sleeping)
    }
  })
})

describe('100,000 rounds', () => {
  const rounds = 100_000

  test('BUG-KT-7, INV-KT-7: of park and unpark lose none, and a parked worker never counts', async (t) => {
    const beat = words()
    const worker = await started(
      moduleOf(`
        import { loop } from ${JSON.stringify(new URL('./inside.js', import.meta.url).href)}
        export default loop((beat) => {
          Atomics.add(beat, 0, 1)
          Atomics.notify(beat, 0)
          return true
        })`),
      beat,
    )
    const begin = performance.now()
    let moved = 0
    for (let round = 0; round < rounds; round++) {
      await worker.park()
      const before = Atomics.load(beat, 0)
      // A pause of another length each time: from none to some tens of microseconds.
      for (let spin = (round * 7919) % 4096; spin > 0; spin--) Atomics.load(beat, 0)
      if (Atomics.load(beat, 0) !== before) moved++
      worker.unpark()
      // In most rounds it is told to park again before it has moved; in some it must move. A loop
      // that looked for it would, on a busy machine, keep it from the processor for milliseconds.
      if (round % 8 === 0) assert.notEqual(Atomics.wait(beat, 0, before, 60_000), 'timed-out')
    }
    const each = ((performance.now() - begin) / rounds) * 1000
    t.diagnostic(`park and unpark: ${each.toFixed(1)} µs a round`)
    assert.equal(moved, 0)
    assert.equal(await worker.stop(), 0)
  })
})
