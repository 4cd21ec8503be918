import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isIdle, until } from '../os/own-thread.fixture.js'
import { Owner, UserWorker } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { moduleOf } from './module.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

/** A loop that lingers: counts its batches, and those in which it was to die; answers as it is told. */
const lingering = moduleOf(`
  import { loop } from ${index}
  export default loop((beat, self) => {
    const stood = self.checkpoint()
    if (self.shouldDie() && !stood) Atomics.add(beat, 1, 1)
    Atomics.add(beat, 0, 1)
    return beat[2] === 1
  }, { onOwnerKill: 'linger' })`)

/** A loop whose batch is held at a gate, and which writes down that it was to die. */
const held = moduleOf(`
  import { loop } from ${index}
  let beat
  export default loop((words) => {
    beat = words
    Atomics.add(beat, 0, 1)
    Atomics.wait(beat, 1, 0)
    return true
  }, { onKill: () => { Atomics.store(beat, 2, 1) } })`)

async function started(module: URL, beat: Int32Array, owner: Owner): Promise<UserWorker> {
  const worker = await UserWorker.create(module, { data: beat, owner })
  await worker.start()
  await until('it counts', () => Atomics.load(beat, 0) > 0)
  return worker
}

describe('a signal point', () => {
  test('says that the worker is to die, each time, and never ends it [SG-2]', async () => {
    const owner = new Owner()
    const beat = words(3)
    beat[2] = 1
    const worker = await started(lingering, beat, owner)
    owner.kill()
    await until('it was told again and again', () => Atomics.load(beat, 1) > 1000)
    assert.equal(worker.state, 'running')
    assert.equal(await worker.stop(), 0)
  })

  test('where a worker was told to die lets it sleep again, until it is woken [SG-4]', async () => {
    const owner = new Owner()
    const beat = words(3)
    const worker = await started(lingering, beat, owner)
    owner.kill()
    await until('it was told', () => Atomics.load(beat, 1) > 0)
    await until('it sleeps', () => isIdle(worker.osThreadId))
    const before = Atomics.load(beat, 0)
    await sleep(50)
    // The kill rings and sends a message: one batch for each at the most.
    const asleep = Atomics.load(beat, 0)
    assert.ok(asleep <= before + 1, `${asleep - before} batches`)
    worker.wake()
    await until('it is woken', () => Atomics.load(beat, 0) > asleep)
    assert.equal(await worker.stop(), 0)
  })

  test('that finds a freeze and a kill does not stand [SG-3, SG-7]', async () => {
    const owner = new Owner()
    const beat = words(3)
    const worker = await started(held, beat, owner)
    const frozen = worker.freeze({ deadlineMs: 60_000 })
    owner.kill()
    Atomics.store(beat, 1, 1)
    Atomics.notify(beat, 1)
    assert.equal(await worker.join(), -9)
    assert.deepEqual([beat[0], beat[2]], [1, 1])
    assert.deepEqual(await frozen, { laggards: [] })
  })

  test('that finds a freeze, a kill and a stop lets the worker die [SG-3]', async () => {
    const owner = new Owner()
    const beat = words(3)
    const worker = await started(held, beat, owner)
    const frozen = worker.freeze({ deadlineMs: 60_000 })
    owner.kill()
    worker.requestStop()
    Atomics.store(beat, 1, 1)
    Atomics.notify(beat, 1)
    assert.equal(await worker.join(), -9)
    assert.deepEqual([beat[0], beat[2]], [1, 1])
    assert.deepEqual(await frozen, { laggards: [] })
  })
})
