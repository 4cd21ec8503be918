import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sampleThread } from '../os/proc.js'
import { until } from '../os/own-thread.fixture.js'
import { loop, Owner, UserWorker, type FreezeOptions } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const words = (count = 1): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

/** Counts without a pause, and looks for requests each time. */
const busy = functionOf(`(beat, self) => {
  while (!self.shouldStop()) { self.checkpoint(); Atomics.add(beat, 0, 1) }
  return 7
}`)

/** Counts in its event loop, and sleeps there. */
const ticking = functionOf(`async (beat, self) => {
  const timer = setInterval(() => Atomics.add(beat, 0, 1), 1)
  while (!self.shouldStop()) await self.sleep(60000)
  clearInterval(timer)
  return 7
}`)

/** Counts in its event loop, and calls nothing of ours. */
const unaware = functionOf(`(beat, self) => new Promise((resolve) => {
  const timer = setInterval(() => Atomics.add(beat, 0, 1), 1)
  self.signal.onabort = () => { clearInterval(timer); resolve(7) }
})`)

/** A loop that always finds something. */
const batches = moduleOf(`
  import { loop } from ${index}
  export default loop((beat) => { Atomics.add(beat, 0, 1); return true })`)

/** Makes another below itself, which counts. */
const parent = moduleOf(`
  import { UserWorker } from ${index}
  export default async ({ beat, url }, self) => {
    const below = await UserWorker.create(url, { data: beat, name: 'below' })
    await below.start()
    while (!self.shouldStop()) await self.sleep(60000)
    return below.stop()
  }`)

async function started(module: URL, beat: Int32Array, owner: Owner, data: unknown = beat) {
  const worker = await UserWorker.create(module, { data, owner })
  await worker.start()
  await until('it counts', () => Atomics.load(beat, 0) > 0)
  return worker
}

/** Whether a word stays as it is for a while. */
async function stays(beat: Int32Array): Promise<boolean> {
  const before = Atomics.load(beat, 0)
  await sleep(15)
  return Atomics.load(beat, 0) === before
}

async function countsOn(beat: Int32Array): Promise<void> {
  const before = Atomics.load(beat, 0)
  await until('it counts on', () => Atomics.load(beat, 0) !== before)
}

const anywhere: FreezeOptions = { at: 'anywhere', deadlineMs: 30_000 }
const patient: FreezeOptions = { deadlineMs: 30_000 }

describe('a frozen owner', () => {
  for (const [what, module, options] of [
    ['a busy one at its checkpoint', busy, patient],
    ['one that sleeps, in its sleep', ticking, patient],
    ['one that knows nothing of it, in its event loop', unaware, anywhere],
    ['a loop, between two batches', batches, patient],
  ] as const) {
    test(`BUG-SIG-2, INV-SIG-2: stops its workers: ${what}`, async () => {
      const owner = new Owner()
      const beat = words()
      const worker = await started(module, beat, owner)
      assert.deepEqual(await owner.freeze(options), { laggards: [] })
      assert.deepEqual([owner.state, worker.state], ['frozen', 'frozen'])
      assert.ok(await stays(beat))
      owner.thaw()
      await countsOn(beat)
      assert.deepEqual([owner.state, worker.state], ['running', 'running'])
      await owner.stop()
      assert.equal(worker.exitCode, module === batches ? 0 : 7)
    })
  }

  test('SG-6: holds who is made meanwhile before its function is called, and lets it go with the others', async () => {
    const owner = new Owner()
    const beat = words()
    await owner.freeze()
    const worker = await UserWorker.create(busy, { data: beat, owner })
    const entered = worker.start()
    await until('it stands', () => worker.state === 'frozen')
    assert.ok(await stays(beat))
    assert.equal(worker.entered, false)
    owner.thaw()
    assert.equal(await entered, true)
    await countsOn(beat)
    await owner.stop()
  })

  test('stops the workers of its workers too, and they go on with them', async () => {
    const owner = new Owner()
    const beat = words()
    const data = { beat, url: ticking.href }
    await started(parent, beat, owner, data)
    assert.deepEqual(await owner.freeze(patient), { laggards: [] })
    assert.ok(await stays(beat))
    assert.deepEqual(
      owner.workers().map(({ state }) => state),
      ['frozen', 'frozen'],
    )
    owner.thaw()
    await countsOn(beat)
    await owner.stop()
  })

  test('BUG-SIG-3: whose workers are woken again and again uses no time, and stays frozen', async () => {
    const owner = new Owner()
    const beat = words()
    const worker = await started(batches, beat, owner)
    await owner.freeze(patient)
    const cpuMs = (): number => sampleThread(worker.osThreadId ?? 0)?.cpuMs ?? 0
    const before = cpuMs()
    for (let count = 0; count < 1000; count++) worker.wake()
    await sleep(200)
    assert.ok(cpuMs() - before <= 100, `${cpuMs() - before} ms`)
    assert.equal(worker.state, 'frozen')
    assert.ok(await stays(beat))
    owner.thaw()
    await countsOn(beat)
    await owner.stop()
  })

  test('KT-25, SG-7: lets a stop through to one worker, and a kill', async () => {
    const owner = new Owner()
    const beat = words()
    const workers = await Promise.all([busy, ticking, batches].map((m) => started(m, beat, owner)))
    const doomed = await started(busy, beat, owner)
    await owner.freeze(patient)
    assert.deepEqual(await Promise.all(workers.map((worker) => worker.stop())), [7, 7, 0])
    doomed.kill()
    assert.equal(await doomed.join(), -9)
    assert.equal(owner.state, 'frozen')
    await owner.stop()
  })

  test('names those who do not stand by the deadline, and they stand as soon as they can', async () => {
    const owner = new Owner()
    const [beat, gate] = [words(), words()]
    const held = functionOf(`({ beat, gate }, self) => {
      Atomics.add(beat, 0, 1)
      Atomics.wait(gate, 0, 0)
      self.checkpoint()
      Atomics.add(beat, 0, 1)
    }`)
    const worker = await started(held, beat, owner, { beat, gate })
    const { laggards } = await owner.freeze({ deadlineMs: 30 })
    assert.deepEqual(laggards, [
      { name: 'worker', osThreadId: worker.osThreadId, where: 'sleeping in futex' },
    ])
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await until('it stands', () => worker.state === 'frozen')
    assert.equal(beat[0], 1)
    owner.thaw()
    await worker.join()
    assert.equal(beat[0], 2)
  })

  test('can be stopped, whatever is frozen above it, and be killed', async () => {
    const above = new Owner()
    const [one, other] = [new Owner({ parent: above }), new Owner({ parent: above })]
    const beat = words()
    const [stopped, killed] = [await started(busy, beat, one), await started(ticking, beat, other)]
    await above.freeze(patient)
    await one.stop()
    assert.equal(stopped.exitCode, 7)
    other.kill()
    assert.equal(await killed.join(), -9)
    await above.stop()
  })
})

describe('a frozen worker', () => {
  test('INV-SIG-2: stands with those below it, while others go on', async () => {
    const owner = new Owner()
    const [beat, other] = [words(), words()]
    const worker = await started(parent, beat, owner, { beat, url: ticking.href })
    await started(ticking, other, owner)
    assert.deepEqual(await worker.freeze(patient), { laggards: [] })
    assert.ok(await stays(beat))
    await countsOn(other)
    worker.thaw()
    await countsOn(beat)
    await owner.stop()
    await assert.rejects(worker.freeze(), { code: 'ENOSYS' })
    worker.thaw()
  })

  test('BUG-KT-8: that is parked as well goes on when both are taken back, in either order', async () => {
    const owner = new Owner()
    const beat = words()
    const worker = await started(ticking, beat, owner)
    for (const last of ['thaw', 'unpark'] as const) {
      await worker.freeze(anywhere)
      await worker.park()
      assert.equal(worker.state, 'parked')
      worker[last === 'thaw' ? 'unpark' : 'thaw']()
      assert.ok(await stays(beat))
      worker[last]()
      await countsOn(beat)
    }
    await owner.stop()
  })

  test('SG-8, BUG-KT-8: stands in each of 1,000 rounds, and no wake is lost over them', async () => {
    const owner = new Owner()
    const [done, asked] = [words(), words()]
    const module = moduleOf(`
      import { loop } from ${index}
      export default loop(({ done, asked }) => {
        if (done[0] === Atomics.load(asked, 0)) return false
        Atomics.add(done, 0, 1)
        return true
      })`)
    const worker = await UserWorker.create(module, { owner, data: { done, asked } })
    await worker.start()
    for (let round = 0; round < 1000; round++) {
      Atomics.add(asked, 0, 1)
      worker.wake()
      assert.deepEqual(await worker.freeze(patient), { laggards: [] })
      const before = Atomics.load(done, 0)
      worker.wake()
      assert.equal(Atomics.load(done, 0), before)
      worker.thaw()
    }
    await until('all is done', () => done[0] === asked[0])
    await owner.stop()
  })
})

describe('a killed owner', () => {
  /** A loop that counts, and does this at its owner's end. */
  const counting = (options: string): URL =>
    moduleOf(`
      import { loop } from ${index}
      let beat = null
      export default loop((words) => {
        beat = words
        Atomics.add(words, 0, 1)
        return true
      }, ${options})`)

  test('SG-11, VH-25: leaves a loop that lingers running until it is stopped, and it can see that', async () => {
    const owner = new Owner()
    const beat = words(2)
    const module = moduleOf(`
      import { loop } from ${index}
      export default loop((beat, self) => {
        Atomics.add(beat, 0, 1)
        if (self.shouldDie()) Atomics.store(beat, 1, 1)
        return true
      }, { onOwnerKill: 'linger' })`)
    const worker = await started(module, beat, owner)
    owner.kill()
    await until('it knows', () => beat[1] === 1)
    await countsOn(beat)
    assert.equal(worker.state, 'running')
    assert.equal(await worker.stop(), 0)
    assert.equal(worker.error, null)
  })

  test('SG-4, INV-SIG-4: lets a loop clean up, which then ends by itself, with code -9', async () => {
    const owner = new Owner()
    const beat = words(2)
    const worker = await started(
      counting(
        '{ onKill: async () => { await 0; Atomics.store(beat, 1, Atomics.load(beat, 0)) } }',
      ),
      beat,
      owner,
    )
    owner.kill(new Error('enough'))
    assert.equal(await worker.join(), -9)
    assert.equal((worker.error as { code?: string } | null)?.code, 'ERR_OWNER_KILLED')
    // No batch ran after it.
    assert.equal(beat[1], beat[0])
  })

  test('lets a loop clean up that is stopped at the same time: fatal beats stop', async () => {
    const owner = new Owner()
    const beat = words(2)
    const worker = await started(
      counting('{ onKill: () => { Atomics.store(beat, 1, 1) } }'),
      beat,
      owner,
    )
    owner.kill()
    await owner.stop()
    assert.deepEqual([worker.exitCode, beat[1]], [-9, 1])
  })

  test('ends a loop by force that does not come to an end with cleaning up', async () => {
    const owner = new Owner()
    const beat = words()
    const worker = await started(
      counting('{ onKill: () => { for (;;) Atomics.add(beat, 0, 1) } }'),
      beat,
      owner,
    )
    owner.kill()
    assert.equal(await worker.join(), -9)
  })

  test('SG-7: whose loops are frozen kills them all the same', async () => {
    const owner = new Owner()
    const beat = words(2)
    const worker = await started(
      counting('{ onKill: () => { Atomics.store(beat, 1, 1) } }'),
      beat,
      owner,
    )
    await owner.freeze(patient)
    owner.kill()
    assert.equal(await worker.join(), -9)
    assert.equal(beat[1], 1)
  })

  test('lets a loop clean up that was frozen by itself, or is parked [SG-7]', async () => {
    for (const halt of ['freeze', 'park'] as const) {
      const owner = new Owner()
      const beat = words(2)
      const module = counting('{ onKill: () => { Atomics.store(beat, 1, 1) } }')
      const worker = await started(module, beat, owner)
      await worker[halt]()
      owner.kill()
      assert.equal(await worker.join(), -9)
      assert.equal(beat[1], 1, halt)
      await assert.rejects(worker.freeze(), { code: 'ENOSYS' })
    }
  })

  test('what a loop does then is checked where it is declared', () => {
    const batch = (): boolean => false
    assert.throws(() => loop(batch, { onOwnerKill: 'stay' as never }), { code: 'EINVAL' })
    assert.throws(() => loop(batch, { onOwnerKill: 'linger', onKill: () => {} }), {
      code: 'EINVAL',
    })
    assert.throws(() => loop(batch, { linger: true } as object), { code: 'EINVAL' })
  })
})
