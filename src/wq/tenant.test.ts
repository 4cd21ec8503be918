import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { seeded } from '../os/random.js'
import { Worker } from '../os/thread.js'
import { until } from '../os/own-thread.fixture.js'
import { Owner, scopeOf, UserWorker } from '../worker/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { moduleOf } from '../worker/module.fixture.js'
import type { Observed } from '../worker/observer.fixture.js'
import { WorkQueue } from './index.js'

checkForLeaks()

const index = JSON.stringify(new URL('../worker/index.js', import.meta.url).href)

/** A worker that makes, stops and kills workers of its own when it is told to by a number. */
const foreman = moduleOf(`
  import { UserWorker } from ${index}
  const body = 'async (data, self) => { while (!self.shouldStop()) await self.sleep(60000) }'
  const url = 'data:text/javascript,' + encodeURIComponent('export default ' + body)
  export default async (orders, self) => {
    const own = []
    for (;;) {
      await self.sleep(60000)
      if (self.shouldStop()) return 0
      const order = Atomics.exchange(orders, 0, 0)
      try {
        if (order === 1) own.push(await UserWorker.create(url, { name: 't-n' }))
        if (order === 2) await own.pop()?.stop()
        if (order === 3) own.pop()?.kill()
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error
      }
    }
  }`)

interface Foreman {
  readonly worker: UserWorker
  readonly orders: Int32Array
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code

const steps = 1000
const limit = 3

/** Has a thread of its own look at an owner. @returns what ends that, and tells what it saw */
function observe(owner: Owner): () => Promise<readonly [number, number, number]> {
  const words = new Int32Array(new SharedArrayBuffer(16))
  const workerData: Observed = { row: scopeOf('owner', owner).row, prefix: 'uw:t-', words }
  const module = new URL('../worker/observer.fixture.js', import.meta.url)
  const observer = new Worker(module, { workerData })
  return async () => {
    Atomics.store(words, 0, 1)
    await once(observer, 'exit')
    const [, looks = 0, rows = 0, threads = 0] = words
    return [looks, rows, threads]
  }
}

describe('a tenant that is limited to 3 workers', () => {
  test('INV-UW-1, BUG-UW-7: never has 4, in 1,000 random steps of workers, nested workers and queues', async (t) => {
    const owner = new Owner({ name: 'tenant', limits: { workers: limit } })
    const observed = observe(owner)
    const seed = Date.now() % 2 ** 31
    const dice = seeded(seed)
    const module = new URL('./works.fixture.js', import.meta.url)
    const queues = [1, 2].map(
      (number) => new WorkQueue(module, { owner, name: `t-q${number}`, idleTimeoutMs: 5 }),
    )
    const foremen: Foreman[] = []
    const ends: Promise<string | undefined>[] = []
    const submit = (work: Promise<unknown>): void => {
      ends.push(work.then(() => 'done', codeOf))
    }
    let [refused, made] = [0, 0]
    const create = async (): Promise<void> => {
      const orders = new Int32Array(new SharedArrayBuffer(4))
      try {
        const worker = await UserWorker.create(foreman, { owner, data: orders, name: 't-f' })
        made++
        void worker.start()
        foremen.push({ worker, orders })
      } catch (error) {
        assert.equal(codeOf(error), 'EAGAIN', `seed ${seed}`)
        refused++
      }
    }
    const pending: Promise<unknown>[] = []
    /** Nobody but the queues needs a place: all works get one. */
    const makeRoom = async (): Promise<void> => {
      await Promise.all(pending.splice(0))
      for (const { worker } of foremen.splice(0)) worker.kill()
      await Promise.all(ends)
    }
    for (let step = 0; step < steps; step++) {
      const some = foremen[dice(foremen.length)]
      const queue = queues[dice(2)] as WorkQueue
      // In turns, or the queues would have all places all the time.
      const way = Math.floor(step / 50) % 2 === 0 ? dice(7) : 3 + dice(7)
      if (step % 100 === 0) await makeRoom()
      if (way < 3) pending.push(create())
      else if (way < 7 && some === undefined) pending.push(create())
      else if (way < 5 && some !== undefined) {
        Atomics.store(some.orders, 0, 1 + dice(3))
        some.worker.wake()
      } else if (way === 5 && some !== undefined) {
        foremen.splice(foremen.indexOf(some), 1)
        pending.push(some.worker.stop())
      } else if (way === 6 && some !== undefined) {
        foremen.splice(foremen.indexOf(some), 1)
        some.worker.kill()
      } else if (way === 7 && dice(3) === 0) submit(queue.run('exit', [3]))
      else submit(queue.run('echo', [step], { unbounded: dice(2) === 0 }))
      if (dice(3) === 0) await new Promise((resolve) => setTimeout(resolve, dice(20)))
    }
    await makeRoom()
    const codes = new Set(await Promise.all(ends))
    codes.delete('done')
    codes.delete('ERR_WORKER_EXITED')
    assert.deepEqual([...codes], [], `seed ${seed}`)
    await owner.stop()
    const [looks, rows, threads] = await observed()
    t.diagnostic(`${made} made, ${refused} refused, ${looks} looks, seed ${seed}`)
    assert.ok(looks > 1000 && made > 10 && refused > 20, `${looks} ${made} ${refused}`)
    assert.equal(rows, limit, `seed ${seed}`)
    assert.ok(threads <= limit, `${threads} threads, seed ${seed}`)
    await until('nobody is left', () => owner.workers().length === 0)
  })
})
