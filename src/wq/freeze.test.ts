import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { Owner } from '../worker/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { moduleOf, word } from './contract/support.fixture.js'
import { WorkQueue } from './index.js'

checkForLeaks()

interface Handlers {
  holds(begun: Int32Array, gate: Int32Array): void
  holdsLater(begun: Int32Array, gate: Int32Array): void
  holdsBelow(begun: Int32Array, gate: Int32Array): Promise<void>
}
const index = JSON.stringify(new URL('../worker/index.js', import.meta.url).href)
const module = moduleOf(`
  import { UserWorker } from ${index}
  export const holds = (begun, gate) => {
    Atomics.add(begun, 0, 1)
    Atomics.wait(gate, 0, 0, 60_000)
  }
  export const holdsLater = (begun, gate) => { setTimeout(holds, 1, begun, gate) }
  export const holdsBelow = async (begun, gate) => {
    const worker = await UserWorker.create('data:text/javascript,' + encodeURIComponent(
      'export default ([begun, gate]) => { Atomics.add(begun, 0, 1); Atomics.wait(gate, 0, 0, 60_000) }'
    ), { name: 'below', data: [begun, gate] })
    await worker.start()
    await worker.join()
  }
`)

describe('a freeze of a queue that cannot stand by its deadline', () => {
  test('names who does not stand, with the work that each runs, if it runs one', async () => {
    await using queue = new WorkQueue<Handlers>(module, {
      name: 'held',
      maxWorkers: 3,
      minWorkers: 3,
    })
    await queue.ready()
    const [begun, gate] = [word(), word()]
    const works = [
      queue.run('holds', [begun, gate]),
      queue.run('holdsBelow', [begun, gate]),
      queue.run('holdsLater', [begun, gate]),
    ]
    await works[2]
    await until('all are held', () => Atomics.load(begun, 0) === 3)
    const { laggards } = await queue.freeze({ deadlineMs: 100 })
    // The one that waits for its own worker stands by works only: it runs one.
    const named = laggards.map(({ name, work }) => `${name.replace(/\d+$/, 'n')} ${work}`)
    assert.deepEqual(named.toSorted(), [
      'below null',
      'held-n holds',
      'held-n holdsBelow',
      'held-n null',
    ])
    queue.thaw()
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await Promise.all(works)
  })
})

describe('a freeze of a queue that has ended', () => {
  test('is refused, with the reason of its end', async () => {
    const owner = new Owner()
    const queue = new WorkQueue<Handlers>(module, { owner })
    await queue.ready()
    owner.kill()
    await assert.rejects(queue.freeze(), { code: 'ERR_OWNER_KILLED' })
    await queue.close()
    await assert.rejects(queue.freeze(), { code: 'ERR_OWNER_KILLED' })
    const closed = new WorkQueue<Handlers>(module)
    await closed.close()
    await assert.rejects(closed.freeze(), { code: 'ENOSYS' })
    await owner.stop()
  })
})
