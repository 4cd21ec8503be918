import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { MessageChannel } from '../os/thread.js'
import { Owner, UserWorker } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const seven = functionOf('() => 7')

describe('an owner below one that was killed', () => {
  test('is killed too, whether it had workers or not, and refuses new ones by that', async () => {
    const owner = new Owner({ name: 'above' })
    const below = new Owner({ name: 'below', parent: owner })
    assert.equal(below.state, 'running')
    owner.kill()
    const refusal = { code: 'ERR_OWNER_KILLED', message: /'above' was killed/ }
    for (const ended of [false, true]) {
      assert.equal(below.state, 'killed', `above has ended: ${ended}`)
      await assert.rejects(UserWorker.create(seven, { owner: below }), refusal)
      await owner.stop()
    }
  })

  test('by another thread is seen by one that lingers: it is killed, and makes nothing', async () => {
    const owner = new Owner()
    const words = new Int32Array(new SharedArrayBuffer(8))
    const lingering = moduleOf(`
      import { loop, Owner, UserWorker } from ${index}
      const refused = (make) => {
        try {
          make()
        } catch (error) {
          return error.code === 'ERR_OWNER_KILLED'
        }
        return false
      }
      export default loop(async (words, self) => {
        if (Owner.current().state === 'running') Atomics.store(words, 0, 1)
        if (!self.shouldDie()) return true
        const isKilled = Owner.current().state === 'killed'
        const created = await UserWorker.create(${JSON.stringify(seven.href)}).catch((error) => error)
        const isRefused = created.code === 'ERR_OWNER_KILLED' && refused(() => new Owner())
        Atomics.store(words, 1, isKilled && isRefused ? 1 : 2)
        return false
      }, { onOwnerKill: 'linger' })`)
    const worker = await UserWorker.create(lingering, { data: words, owner })
    await worker.start()
    assert.equal(await answered(words, 0), 1)
    owner.kill()
    assert.equal(await answered(words, 1), 1)
    assert.equal(await worker.stop(), 0)
  })
})

describe('an owner', () => {
  test('may be stopped and killed by whoever hears of the end of its worker', async () => {
    const owner = new Owner()
    const worker = await UserWorker.create(seven, { owner })
    const stopped = new Promise<void>((resolve, reject) => {
      worker.onExit(() => {
        owner.stop().then(resolve, reject)
        owner.kill()
      })
    })
    await worker.start()
    await worker.join()
    await stopped
    assert.deepEqual([worker.exitCode, worker.error, owner.state], [7, null, 'killed'])
  })
})

describe('a stop of an owner that could never finish', () => {
  test('is refused with EDEADLK as often as it is asked for, and the thread goes on [KT-18]', async () => {
    const below = `
      import { WorkerReference } from ${index}
      export default async ({ port, waits }) => {
        const ended = new WorkerReference(port).join()
        Atomics.store(waits, 0, 1)
        Atomics.notify(waits, 0)
        return await ended
      }`
    const maker = moduleOf(`
      import { Owner, UserWorker } from ${index}
      export default async ({ channel }) => {
        const port = await new Promise((resolve) => channel.once('message', resolve))
        channel.close()
        const owner = new Owner()
        const waits = new Int32Array(new SharedArrayBuffer(4))
        const data = { port, waits }
        const below = await UserWorker.create(${JSON.stringify(moduleOf(below).href)}, {
          data, owner, transfer: [port],
        })
        await below.start()
        Atomics.wait(waits, 0, 0, 60_000)
        let refused = 0
        for (let round = 0; round < 3; round++)
          await owner.stop().catch((error) => { if (error.code === 'EDEADLK') refused++ })
        return refused
      }`)
    const { port1, port2 } = new MessageChannel()
    const data = { channel: port2 }
    const worker = await UserWorker.create(maker, { data, transfer: [port2] })
    await worker.start()
    const reference = worker.reference()
    port1.postMessage(reference, [reference])
    assert.equal(await worker.join(), 3)
    port1.close()
  })
})

/** What a word is set to, once it is. */
async function answered(words: Int32Array, at: number): Promise<number> {
  await until('it answers', () => Atomics.load(words, at) !== 0)
  return Atomics.load(words, at)
}
