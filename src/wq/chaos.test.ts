import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshSeed, seeded } from '../os/random.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner } from '../worker/index.js'
import { store, type Deed, type Marks } from './chaos.fixture.js'
import { WorkQueue } from './index.js'
import type { WorkOptions } from './options.js'

checkForLeaks()

type Handlers = typeof import('./chaos.fixture.js')
const module = new URL('./chaos.fixture.js', import.meta.url)
const deeds: readonly Deed[] = ['quick', 'hold', 'await', 'throw', 'exit', 'uncaught', 'spin']
const [rounds, steps, mostWorks, keys] = [3, 60, 500, 4]
const codes = new Set(['ECANCELED', 'ETIME', 'ERR_WORKER_DIED', 'ERR_WORKER_EXITED'])
const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

/** What can be frozen. */
interface Target {
  readonly it: Owner | WorkQueue<Handlers>
  readonly gate: number
  frozen: Promise<unknown> | null
}

interface Submitted {
  readonly place: number
  readonly key: number
  readonly deed: Deed
  readonly carried: number | null
  readonly settled: Promise<PromiseSettledResult<unknown>>
}

// A thread that ends beside its works is warned of.
const ignored = (): void => {}
before(() => process.on('warning', ignored))
after(() => process.off('warning', ignored))

class Round {
  readonly #dice: (below: number) => number
  readonly #owners = [new Owner({ limits: { workers: 4 } })]
  readonly #queues: WorkQueue<Handlers>[]
  readonly #targets: Target[]
  readonly #works: Submitted[] = []
  readonly #marks: Marks = {
    begun: words(mostWorks),
    order: words(mostWorks),
    holders: words(2 * keys),
    found: words(mostWorks),
    frozen: words(4),
    counts: words(2),
  }

  constructor(seed: number) {
    this.#dice = seeded(seed)
    const [above] = this.#owners as [Owner]
    this.#owners.push(new Owner({ parent: above, limits: { workers: 2 } }))
    this.#queues = this.#owners.map(
      (owner, place) =>
        new WorkQueue<Handlers>(module, {
          owner,
          preload: [module],
          maxWorkers: 2,
          concurrency: { bounded: 1 + 2 * place, unbounded: 4 },
        }),
    )
    this.#targets = [...this.#owners, ...this.#queues].map((it, gate) => ({
      it,
      gate,
      frozen: null,
    }))
  }

  async run(): Promise<void> {
    for (let step = 0; step < steps; step++) await this.#step()
    for (const target of this.#targets) this.#thaw(target)
    const late = sleep(180_000, 'late' as const, { ref: false })
    const all = Promise.all(this.#works.map(({ settled }) => settled))
    assert.notEqual(await Promise.race([all, late]), 'late', 'works that never settle')
    // The one below first: its queue is closed with it, and the other by itself.
    const ends = Promise.all(
      [...this.#owners.toReversed(), ...this.#queues].map((each) =>
        each instanceof Owner ? each.stop() : each.close(),
      ),
    )
    assert.notEqual(await Promise.race([ends, late]), 'late', 'an end that never comes')
    await this.#judge()
  }

  async #step(): Promise<void> {
    const dice = this.#dice
    const target = this.#targets[dice(4)] as Target
    const [what, most] = [dice(100), 1 + dice(4)]
    if (what < 55) for (let count = dice(6); count >= 0; count--) this.#submit()
    else if (what < 63) this.#freeze(target)
    else if (what < 75) this.#thaw(target)
    else if (what < 78) this.#queues[dice(2)]?.cancel(({ key }) => key === 'k1', { all: true })
    else if (what < 81) this.#owners[dice(2)]?.setLimits({ workers: most })
    else if (what < 84) this.#queues[dice(2)]?.setMaxWorkers({ bounded: most })
    else await sleep(dice(20))
  }

  #submit(): void {
    const dice = this.#dice
    const index = this.#works.length
    if (index === mostWorks) return
    const place = dice(2)
    const key = dice(3) === 0 ? dice(keys) : -1
    const deed = deeds[dice(dice(4) === 0 ? deeds.length : 3)] as Deed
    const options: WorkOptions = { unbounded: dice(4) === 0, concurrent: dice(8) > 0 }
    if (key >= 0) options.key = `k${key}`
    if (dice(4) === 0) options.priority = 'high'
    if (deed === 'spin' || dice(12) === 0) {
      options.timeoutMs = 10 + dice(40)
      options.killAfterMs = 10 + dice(40)
    }
    const gates = place === 0 ? [0, 2] : [0, 1, 3]
    const line = key < 0 ? -1 : place * keys + key
    const submit = (): Promise<unknown> =>
      (this.#queues[place] as WorkQueue<Handlers>).run(
        'act',
        [this.#marks, index, line, deed, gates],
        options,
      )
    const carried = dice(2) === 0 ? index : null
    const result = carried === null ? submit() : store.run(carried, submit)
    const settled = Promise.allSettled([result]).then(([each]) => each)
    this.#works.push({ place, key: line, deed, carried, settled })
  }

  #freeze(target: Target): void {
    if (target.frozen !== null) return
    const frozen = target.it.freeze({ deadlineMs: 2000 }).then(({ laggards }) => {
      if (target.frozen === frozen && laggards.length === 0) {
        Atomics.store(this.#marks.frozen, target.gate, 1)
      }
    })
    target.frozen = frozen
  }

  #thaw(target: Target): void {
    Atomics.store(this.#marks.frozen, target.gate, 0)
    target.frozen = null
    target.it.thaw()
  }

  async #judge(): Promise<void> {
    const { begun, order, found, counts } = this.#marks
    assert.equal(counts[1], 0, 'works that began while frozen')
    const last = new Map<number, number>()
    for (const [index, { key, deed, carried, settled }] of this.#works.entries()) {
      const end = await settled
      const about = `work ${index}, ${deed}`
      if (end.status === 'fulfilled') {
        assert.deepEqual([begun[index], end.value], [1, [index, carried]], about)
      } else {
        const error = end.reason as Error & { code?: string }
        const isKnown = codes.has(error.code ?? '') || /^(mine|uncaught)$/.test(error.message)
        assert.ok(isKnown && (begun[index] as number) <= 1, `${about}: ${error.stack}`)
      }
      if (key < 0 || begun[index] === 0) continue
      assert.ok((last.get(key) ?? 0) < (order[index] as number), `${about}: the order of its key`)
      last.set(key, order[index] as number)
      const holder = this.#works[(found[index] as number) - 1]
      // Only one that was ended by force leaves its mark.
      if (holder !== undefined) assert.equal((await holder.settled).status, 'rejected', about)
    }
  }
}

test('random works, freezes, limits and ends lose nothing, run nothing twice and keep the order of keys', async () => {
  const seed = freshSeed()
  for (let round = 0; round < rounds; round++) {
    try {
      await new Round(seed + round).run()
    } catch (error) {
      throw new Error(`seed ${seed + round}: ${(error as Error).message}`, { cause: error })
    }
  }
})
