import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner, UserWorker } from '../worker/index.js'
import { WorkQueue, type WorkQueueOptions } from './index.js'

checkForLeaks()

type Handlers = typeof import('./gates.fixture.js')
const module = new URL('./gates.fixture.js', import.meta.url)
const words = (count = 1): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

function queueOf(owner: Owner, options: WorkQueueOptions = {}): WorkQueue<Handlers> {
  return new WorkQueue<Handlers>(module, { owner, ...options })
}

const codesOf = async (works: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(works)).map((each) =>
    each.status === 'rejected' ? (each.reason as { code?: string }).code : each.value,
  )

function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
}

describe('a queue whose owner has a limit', () => {
  test('UW-8, UW-9: never has more workers, in both classes and with other queues, and all works run', async () => {
    const owner = new Owner({ name: 'acme', limits: { workers: 3 } })
    const queues = [queueOf(owner, { maxWorkers: 4 }), queueOf(owner, { maxWorkers: 4 })]
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, owner.workers().length)
    }, 1)
    const works = queues.flatMap((queue) =>
      Array.from({ length: 40 }, (_, index) =>
        queue.run('echoOrThrow', [2 * index + 1, 5], { unbounded: index % 2 === 0 }),
      ),
    )
    assert.equal((await Promise.all(works)).length, 80)
    clearInterval(watch)
    assert.ok(most >= 2 && most <= 3, `${most} workers`)
    await owner.stop()
  })

  test('keeps works waiting while others have all places, says so, and runs them when one is free', async () => {
    const owner = new Owner({ name: 'acme', limits: { workers: 1 } })
    const [begun, gate] = [words(), words()]
    const [one, other] = [queueOf(owner), queueOf(owner)]
    const held = one.run('held', [begun, gate])
    await until('it runs', () => begun[0] === 1)
    const waiting = other.run('echo', [5])
    await until('it says so', () => other.stats().starved)
    await sleep(300)
    assert.equal(other.stats().unsettled, 1)
    open(gate)
    await held
    assert.equal(await waiting, 5)
    assert.equal(other.stats().starved, false)
    assert.equal(await one.run('echo', [6]), 6)
    await owner.stop()
  })

  test('gets the place of a worker that is idle, and not of one that runs a work', async () => {
    const owner = new Owner({ limits: { workers: 2 } })
    const [begun, gate] = [words(), words()]
    const [busy, idle, other] = [queueOf(owner), queueOf(owner), queueOf(owner)]
    const held = busy.run('held', [begun, gate])
    await until('it runs', () => begun[0] === 1)
    const [before] = busy.workers()
    assert.equal(await idle.run('echo', [4]), 4)
    assert.equal(await other.run('echo', [5]), 5)
    assert.equal(idle.workers().length, 0)
    open(gate)
    await held
    assert.equal(await busy.run('echo', [6]), 6)
    assert.equal(busy.workers()[0]?.name, before?.name)
    await owner.stop()
  })

  test('has the places of idle workers of others, also beside a worker of its own', async () => {
    const owner = new Owner({ limits: { workers: 3 } })
    const [one, other] = [queueOf(owner, { maxWorkers: 3 }), queueOf(owner, { maxWorkers: 3 })]
    const [begun, gate] = [words(), words()]
    const first = [1, 2].map(() => one.run('held', [begun, gate]))
    await until('both run', () => begun[0] === 2)
    open(gate)
    await Promise.all(first)
    Atomics.store(gate, 0, 0)
    // Three at the same time: its own, and the places of the two idle ones.
    const works = [1, 2, 3].map(() => other.run('held', [begun, gate]))
    await until('all three run', () => begun[0] === 5)
    open(gate)
    await Promise.all(works)
    await owner.stop()
  })

  test('without a worker gets the place of one of several, though all are busy', async () => {
    const owner = new Owner({ limits: { workers: 2 } })
    const [busy, other] = [queueOf(owner, { maxWorkers: 2 }), queueOf(owner)]
    const over = new AbortController()
    const flood = async (): Promise<void> => {
      while (!over.signal.aborted) await busy.run('echoOrThrow', [1, 5])
    }
    const floods = [1, 2, 3, 4].map(flood)
    await until('both places are taken', () => owner.workers().length === 2)
    assert.equal(await other.run('echo', [7]), 7)
    over.abort()
    await Promise.all(floods)
    await owner.stop()
  })

  test('without a worker gets the place of an idle one of minWorkers too, and each in turn', async () => {
    const owner = new Owner({ limits: { workers: 1 } })
    const keeping = queueOf(owner, { maxWorkers: 2, minWorkers: 1 })
    const other = queueOf(owner, { maxWorkers: 1 })
    await keeping.ready()
    const count = words()
    for (let round = 0; round < 3; round++) {
      await other.run('count', [count])
      await keeping.run('count', [count])
    }
    assert.equal(count[0], 6)
    await owner.stop()
  })

  test('gets a place that an idle worker of another thread has, once that was idle for long', async () => {
    const owner = new Owner({ limits: { workers: 2 } })
    const idle = queueOf(owner, { idleTimeoutMs: 100 })
    const busy = new WorkQueue<typeof import('./nested.fixture.js')>(
      new URL('./nested.fixture.js', import.meta.url),
      { owner },
    )
    await idle.run('echo', [1])
    // Its handler waits for a worker of its own queue, and there are two already.
    assert.equal(await busy.run('echoBelow', [7]), 7)
    assert.equal(await idle.run('echo', [2]), 2)
    await owner.stop()
  })

  test('waits for a place that a worker which is no queue has', async () => {
    const owner = new Owner({ limits: { workers: 1 } })
    const text =
      'export default async (data, self) => { while (!self.shouldStop()) await self.sleep(9999) }'
    const worker = await UserWorker.create(`data:text/javascript,${encodeURIComponent(text)}`, {
      owner,
    })
    const queue = queueOf(owner)
    const waiting = queue.run('echo', [5])
    await until('it waits', () => queue.stats().starved)
    await worker.stop()
    assert.equal(await waiting, 5)
    await owner.stop()
  })
})

describe('a frozen queue', () => {
  test('SG-10, BUG-SIG-2: begins no work, takes works, and runs every one of them once after the thaw', async () => {
    const owner = new Owner()
    const queue = queueOf(owner, { maxWorkers: 2 })
    const count = words()
    await queue.run('count', [count])
    assert.deepEqual(await queue.freeze(), { laggards: [] })
    const works = Array.from({ length: 100 }, (_, index) =>
      queue.run('count', [count], { key: index % 3 === 0 ? 'a' : undefined }),
    )
    const others = Array.from({ length: 20 }, () =>
      queue.run('count', [count], { unbounded: true }),
    )
    await sleep(50)
    assert.equal(count[0], 1)
    assert.deepEqual(
      queue.workers().map(({ state }) => state),
      ['frozen'],
    )
    queue.thaw()
    const results = (await Promise.all([...works, ...others])).sort((one, two) => one - two)
    assert.deepEqual(
      results,
      Array.from({ length: 120 }, (_, index) => index + 2),
    )
    await owner.stop()
  })

  test('at a work, lets those finish that run; anywhere, it halts them in the middle', async () => {
    const owner = new Owner()
    const queue = queueOf(owner, { maxWorkers: 1, concurrency: 4 })
    const [begun, gate] = [words(), words()]
    const works = [1, 2].map(() => queue.run('awaited', [begun, gate]))
    await until('they run', () => begun[0] === 2)
    const { laggards } = await queue.freeze({ deadlineMs: 30 })
    assert.deepEqual(
      laggards.map(({ name, work }) => [name, work]),
      [[queue.workers()[0]?.name, 'awaited']],
    )
    const waiting = queue.run('awaited', [begun, gate])
    open(gate)
    await Promise.all(works)
    await until('it stands', () => queue.workers()[0]?.state === 'frozen')
    assert.equal(begun[0], 2)
    queue.thaw()
    await waiting
    Atomics.store(gate, 0, 0)
    const halted = queue.run('awaited', [begun, gate])
    await until('it runs', () => begun[0] === 4)
    assert.deepEqual(await queue.freeze({ at: 'anywhere' }), { laggards: [] })
    open(gate)
    assert.equal(await Promise.race([halted, sleep(50, 'waits')]), 'waits')
    queue.thaw()
    await halted
    await owner.stop()
  })

  test('SG-10: 10,000 rounds under load lose nothing, and nothing moves while it is frozen', async () => {
    const owner = new Owner()
    const queue = queueOf(owner, { maxWorkers: 2 })
    const count = words()
    await queue.ready()
    let [settled, submitted] = [0, 0]
    for (let round = 0; round < 10_000; round++) {
      for (let work = 0; work < 3; work++) {
        submitted++
        void queue.run('count', [count]).then(() => settled++)
      }
      const { laggards } = await queue.freeze({ deadlineMs: 60_000 })
      assert.deepEqual(laggards, [])
      const before = Atomics.load(count, 0)
      if (round % 100 === 0) await sleep(1)
      assert.equal(Atomics.load(count, 0), before)
      queue.thaw()
    }
    await queue.flush()
    assert.deepEqual([settled, count[0]], [submitted, submitted])
    await owner.stop()
  })

  test('SG-10: a work that is halted in it does not run into its time-out', async () => {
    const owner = new Owner()
    const queue = queueOf(owner)
    const [begun, gate] = [words(), words()]
    await queue.ready()
    const work = queue.run('awaited', [begun, gate], { timeoutMs: 400 })
    await until('it runs', () => begun[0] === 1)
    await owner.freeze({ at: 'anywhere' })
    await sleep(800)
    owner.thaw()
    open(gate)
    await work
    await owner.stop()
  })

  test('lets no worker leave as idle, and makes none', async () => {
    const owner = new Owner()
    const queue = queueOf(owner, { maxWorkers: 3, minWorkers: 1, idleTimeoutMs: 20 })
    const [begun, gate] = [words(), words()]
    const works = [1, 2, 3].map(() => queue.run('held', [begun, gate]))
    await until('they run', () => begun[0] === 3)
    // Frozen from their works on: none was idle before.
    const frozen = queue.freeze({ deadlineMs: 60_000 })
    open(gate)
    assert.deepEqual(await frozen, { laggards: [] })
    await Promise.all(works)
    await sleep(150)
    assert.equal(queue.workers().length, 3)
    queue.thaw()
    await until('the idle ones leave', () => queue.workers().length === 1)
    await owner.stop()
  })

  test('KT-25: is closed as any other: what waits is run, though its owner is frozen as well', async () => {
    const owner = new Owner()
    const queue = queueOf(owner)
    const count = words()
    await queue.run('count', [count])
    await queue.freeze()
    await owner.freeze()
    const works = [1, 2, 3].map(() => queue.run('count', [count]))
    assert.deepEqual(await queue.close(), { stuck: [] })
    assert.deepEqual(await Promise.all(works), [2, 3, 4])
    await assert.rejects(queue.freeze(), { code: 'ENOSYS' })
    queue.thaw()
    await owner.stop()
  })
})

describe('a queue whose owner is killed', () => {
  test('SG-9, INV-SIG-4: rejects every work once, wherever it is, with the reason, and takes no more', async () => {
    const owner = new Owner({ name: 'acme' })
    const queue = queueOf(owner, { maxWorkers: 2, concurrency: 2 })
    const [begun, gate] = [words(), words()]
    const running = [1, 2, 3].map(() => queue.run('awaited', [begun, gate]))
    const held = queue.run('held', [begun, gate], { unbounded: true })
    await until('they run', () => begun[0] === 4)
    const first = queue.enqueue('awaited', [begun, gate], { key: 'a' })
    const pending = [
      first.result,
      queue.run('echo', [1], { key: 'a' }),
      queue.run('echo', [1], { after: first }),
      queue.run('echo', [1], { unbounded: true }),
    ]
    const reason = new Error('unpaid')
    owner.kill(reason)
    const all = [...running, held, ...pending, queue.run('echo', [1])]
    const codes = await codesOf(all)
    assert.deepEqual(
      codes,
      codes.map(() => 'ERR_OWNER_KILLED'),
    )
    await assert.rejects(held, { cause: reason, message: /'acme' was killed: unpaid/ })
    await queue.close()
    assert.deepEqual(queue.workers(), [])
    await assert.rejects(queue.run('echo', [1]), { code: 'ERR_OWNER_KILLED' })
    assert.throws(() => queueOf(owner), { code: 'ERR_OWNER_KILLED' })
    // Others are not concerned.
    const other = queueOf(Owner.current())
    assert.equal(await other.run('echo', [7]), 7)
    await Promise.all([other.close(), owner.stop()])
  })

  test('before its first work rejects that work', async () => {
    const owner = new Owner()
    const queue = queueOf(owner)
    owner.kill()
    await assert.rejects(queue.run('echo', [1]), { code: 'ERR_OWNER_KILLED' })
    await queue.close()
  })

  test('while its workers are frozen, or are being made, ends them', async () => {
    const owner = new Owner()
    const [frozen, young] = [queueOf(owner), queueOf(owner)]
    await frozen.run('echo', [1])
    await frozen.freeze()
    const works = [frozen.run('echo', [1]), young.run('echo', [1])]
    owner.kill()
    assert.deepEqual(await codesOf(works), ['ERR_OWNER_KILLED', 'ERR_OWNER_KILLED'])
    await owner.stop()
  })
})

describe('a queue whose owner is stopped', () => {
  test('and that had no worker yet, gets none while its owner ends', async () => {
    const owner = new Owner()
    const [begun, gate] = [words(), words()]
    const [busy, unused] = [queueOf(owner), queueOf(owner)]
    const held = busy.run('held', [begun, gate])
    await until('it runs', () => begun[0] === 1)
    const stopped = owner.stop()
    await assert.rejects(unused.run('echo', [1]), { code: 'ENOSYS' })
    open(gate)
    await Promise.all([stopped, held, unused.close()])
  })

  test('or killed is not ready, and says why', async () => {
    const owner = new Owner()
    const queue = queueOf(owner)
    await queue.ready()
    owner.kill()
    await assert.rejects(queue.ready(), { code: 'ERR_OWNER_KILLED' })
    await owner.stop()
  })

  test('is closed: it finishes what it has and takes nothing more', async () => {
    const owner = new Owner()
    const queue = queueOf(owner)
    const count = words()
    const works = Array.from({ length: 10 }, () => queue.run('count', [count]))
    await owner.stop()
    assert.equal((await Promise.all(works)).length, 10)
    await assert.rejects(queue.run('count', [count]), { code: 'ECANCELED' })
    assert.throws(() => queueOf(owner), { code: 'ENOSYS' })
  })
})
