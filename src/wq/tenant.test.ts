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
  const text = 'export default async (_, self) => { while (!self.shouldStop()) await self.sleep(60000) }'
  const url = 'data:text/javascript,' + encodeURIComponent(text)
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

const works = new URL('./works.fixture.js', import.meta.url)
const steps = 1000
const limit = 3

/** What the steps are taken with. */
class Tenant {
  readonly owner = new Owner({ name: 'tenant', limits: { workers: limit } })
  readonly counts = { made: 0, refused: 0 }
  readonly #dice: (sides: number) => number
  readonly #queues = [1, 2].map(
    (number) => new WorkQueue(works, { owner: this.owner, name: `t-q${number}`, idleTimeoutMs: 5 }),
  )
  readonly #foremen: Foreman[] = []
  /** Creations and stops that are under way. */
  readonly #pending: Promise<unknown>[] = []
  /** What became of the works. */
  readonly #ends: Promise<string | undefined>[] = []

  constructor(dice: (sides: number) => number) {
    this.#dice = dice
  }

  /** A step of the first kinds makes and ends workers, one of the last kinds submits a work. */
  step(kind: number): void {
    const some = this.#foremen[this.#dice(this.#foremen.length)]
    if (kind < 3 || (kind < 7 && some === undefined)) this.#pending.push(this.#create())
    else if (some !== undefined && kind < 5) {
      Atomics.store(some.orders, 0, 1 + this.#dice(3))
      some.worker.wake()
    } else if (some !== undefined && kind < 7) {
      this.#foremen.splice(this.#foremen.indexOf(some), 1)
      if (kind === 5) this.#pending.push(some.worker.stop())
      else some.worker.kill()
    } else this.#submit(kind)
  }

  /** Nobody but the queues needs a place: all works get one. @returns what became of them */
  async makeRoom(): Promise<(string | undefined)[]> {
    await Promise.all(this.#pending.splice(0))
    for (const { worker } of this.#foremen.splice(0)) worker.kill()
    return await Promise.all(this.#ends)
  }

  #submit(kind: number): void {
    const queue = this.#queues[this.#dice(2)] as WorkQueue
    const isDeadly = kind === 7 && this.#dice(3) === 0
    const work = isDeadly
      ? queue.run('exit', [3])
      : queue.run('echo', [kind], { unbounded: this.#dice(2) === 0 })
    this.#ends.push(work.then(() => 'done', codeOf))
  }

  async #create(): Promise<void> {
    const orders = new Int32Array(new SharedArrayBuffer(4))
    const options = { owner: this.owner, data: orders, name: 't-f' }
    try {
      const worker = await UserWorker.create(foreman, options)
      this.counts.made++
      void worker.start()
      this.#foremen.push({ worker, orders })
    } catch (error) {
      assert.equal(codeOf(error), 'EAGAIN')
      this.counts.refused++
    }
  }
}

describe('a tenant that is limited to 3 workers', () => {
  test('INV-UW-1, BUG-UW-7: never has 4, in 1,000 random steps of workers, nested workers and queues', async () => {
    const seed = Date.now() % 2 ** 31
    const dice = seeded(seed)
    const tenant = new Tenant(dice)
    const words = new Int32Array(new SharedArrayBuffer(16))
    const data: Observed = { row: scopeOf('owner', tenant.owner).row, prefix: 'uw:t-', words }
    const observer = new Worker(new URL('../worker/observer.fixture.js', import.meta.url), {
      workerData: data,
    })
    for (let step = 0; step < steps; step++) {
      if (step % 100 === 0) await tenant.makeRoom()
      // In turns, or the queues would have all places all the time.
      tenant.step(step % 100 < 50 ? dice(7) : 3 + dice(7))
      if (dice(3) === 0) await new Promise((resolve) => setTimeout(resolve, dice(20)))
    }
    const ends = new Set(await tenant.makeRoom())
    await tenant.owner.stop()
    Atomics.store(words, 0, 1)
    await once(observer, 'exit')
    const [, looks, rows, threads] = words as unknown as [number, number, number, number]
    const { made, refused } = tenant.counts
    const seen = `${looks} looks: at most ${rows} rows and ${threads} threads`
    console.log(`tenant: ${steps} steps, ${made} made, ${refused} refused; ${seen} (seed ${seed})`)
    assert.deepEqual(ends, new Set(['done', 'ERR_WORKER_EXITED']), `seed ${seed}`)
    assert.ok(looks > 1000 && made > 10 && refused > 20, `${looks} ${made} ${refused}`)
    assert.equal(rows, limit, `seed ${seed}`)
    assert.ok(threads <= limit, `${threads} threads, seed ${seed}`)
    await until('nobody is left', () => tenant.owner.workers().length === 0)
  })
})
