import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as memory from '#memory'
import { checkForLeaks } from './leaks.fixture.js'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { Worker } from '../os/thread.js'
import { moduleOf } from './module.fixture.js'
import { UserWorker } from './index.js'
import { Scope } from './scope.js'
import { at, Field, isWorker, lineOf, parentOf, table, workerRows } from './table.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)

/**
 * A worker that makes `depth` more below itself, each in the one above, and returns 1 more than the
 * one below.
 */
const tower = moduleOf(`
  import { UserWorker } from ${index}
  export default async ({ url, depth, ready }, self) => {
    const options = { name: 'depth-' + depth, data: { url, depth: depth - 1, ready } }
    const below = depth > 0 ? await UserWorker.create(url, options) : null
    if (below) await below.start()
    else { Atomics.store(ready, 0, 1); Atomics.notify(ready, 0) }
    while (!self.shouldStop()) await self.sleep(60000)
    return below ? 1 + (await below.stop()) : 0
  }`)

async function standing(depth: number): Promise<UserWorker> {
  const ready = new Int32Array(new SharedArrayBuffer(4))
  const worker = await UserWorker.create(tower, {
    name: 'top',
    data: { url: tower.href, depth, ready },
  })
  await worker.start()
  while (ready[0] === 0) await sleep(5)
  return worker
}

const ourThreads = (): number =>
  threadsOf().filter((thread) => thread.name.startsWith('uw:')).length

/** The nearest worker above each worker; 0 where there is none. */
function parents(): number[] {
  const words = table()
  return workerRows(words).map(
    (row) => lineOf(words, row).find((each) => each !== row && isWorker(words, each)) ?? 0,
  )
}

describe('workers of workers', () => {
  test("UW-9: each row names its parent's row, however deep", async () => {
    const worker = await standing(3)
    const [top, ...below] = workerRows(table())
    assert.equal(parentOf(table(), top ?? -1), Scope.current().row)
    assert.deepEqual(parents().slice(1), [top, ...below.slice(0, -1)])
    assert.equal(ourThreads(), 4)
    assert.equal(await worker.stop(), 3)
  })

  test('NP-2, KT-14: a worker that is told to stop may itself stop another and read its code', async () => {
    const worker = await standing(10)
    assert.equal(await worker.stop(), 10)
    assert.deepEqual(parents(), [])
  })

  test('NP-2: a worker may stop another before it looks whether it is itself told to stop', async () => {
    const worker = await UserWorker.create(
      moduleOf(`
        import { UserWorker } from ${index}
        const below = 'data:text/javascript,' + encodeURIComponent(
          'export default async (data, self) => (await self.sleep(60000)) === -4 ? 6 : 1')
        export default async (data, self) => {
          const one = await UserWorker.create(below)
          await one.start()
          while (!self.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1))
          const code = await one.stop()
          return self.shouldStop() ? code + 1 : 1
        }`),
    )
    await worker.start()
    assert.equal(await worker.stop(), 7)
  })

  test('a worker that is killed takes the workers below it along, and all their rows are free', async () => {
    const worker = await standing(3)
    worker.kill()
    assert.equal(await worker.join(), -9)
    assert.deepEqual(workerRows(table()), [])
    await until('no thread of ours is left', () => ourThreads() === 0)
  })

  test('a worker that returns while it still has workers takes them along', async () => {
    const module = moduleOf(`
      import { UserWorker } from ${index}
      export default async () => {
        const below = await UserWorker.create('data:text/javascript,export default () => { for (;;); }')
        await below.start()
        return 6
      }`)
    const worker = await UserWorker.create(module)
    await worker.start()
    assert.equal(await worker.join(), 6)
    assert.deepEqual(workerRows(table()), [])
  })

  test('a raw thread in between hands the table and the parent down', async () => {
    const done = new Int32Array(new SharedArrayBuffer(4))
    const raw = new Worker(
      `const { workerData } = require('node:worker_threads')
       import(${index}).then(async ({ UserWorker }) => {
         const sleeper = 'export default (data, self) => self.sleepSync(60000)'
         const worker = await UserWorker.create('data:text/javascript,' + sleeper)
         await worker.start()
         Atomics.store(workerData, 0, worker.id)
         Atomics.notify(workerData, 0)
         while (Atomics.load(workerData, 0) !== -1) await new Promise((resolve) => setTimeout(resolve, 5))
         process.exit(await worker.stop())
       })`,
      // This thread made the table when it made its first worker above, so the raw thread inherits
      // it.
      { eval: true, workerData: done },
    )
    const exit = new Promise((resolve) => {
      raw.once('exit', resolve)
    })
    while (done[0] === 0) await sleep(5)
    const [row] = workerRows(table())
    assert.equal(memory.load(table(), at(row ?? 0, Field.ID)), done[0])
    assert.ok(
      !lineOf(table(), row ?? 0).includes(Scope.current().row),
      'it is no worker of this thread',
    )
    Atomics.store(done, 0, -1)
    assert.equal(await exit, -4)
  })
})
