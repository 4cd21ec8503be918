import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from '../os/own-thread.fixture.js'
import { answerOf } from './answer.fixture.js'
import { Owner, UserWorker, type OwnerOptions } from './index.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { claimedRows, table } from './table.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const untilStopped = functionOf(
  'async (data, self) => { while (!self.shouldStop()) await self.sleep(60000) }',
)

/** A worker that makes as many workers below itself as it is let, and writes down how many. */
const maker = moduleOf(`
  import { UserWorker } from ${index}
  export default async ({ made, url }, self) => {
    try {
      for (;;) {
        await (await UserWorker.create(url, { name: 'nested' })).start()
        Atomics.add(made, 0, 1)
      }
    } catch (error) {
      if (error.code !== 'EAGAIN' || error.owner === undefined) throw error
    }
    Atomics.store(made, 1, 1)
    while (!self.shouldStop()) await self.sleep(60000)
  }`)

const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

function tenant(options: OwnerOptions = {}): Owner {
  return new Owner({ name: 'acme', ...options })
}

/** Makes workers until the owner has no more room. */
async function fill(owner: Owner): Promise<UserWorker[]> {
  const workers: UserWorker[] = []
  for (;;) {
    try {
      workers.push(await UserWorker.create(untilStopped, { owner }))
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'EAGAIN')
      return workers
    }
  }
}

describe('the limit of an owner', () => {
  test('BUG-UW-7, INV-UW-1, UW-8: is exact, names the owner, and a worker that ends makes room for one', async () => {
    const owner = tenant({ limits: { workers: 3 } })
    const workers = await fill(owner)
    assert.equal(workers.length, 3)
    await assert.rejects(UserWorker.create(untilStopped, { owner }), {
      code: 'EAGAIN',
      owner: 'acme',
      message: "The owner 'acme' has as many workers as its limit allows, 3",
    })
    await workers[0]?.stop()
    assert.equal((await fill(owner)).length, 1)
    await owner.stop()
    assert.deepEqual(owner.workers(), [])
  })

  test('UW-9: counts workers that its workers make, however deep, and their creation is refused there', async () => {
    const owner = tenant({ limits: { workers: 4 } })
    const made = words(2)
    const data = { made, url: untilStopped.href }
    const worker = await UserWorker.create(maker, { owner, data, name: 'maker' })
    await worker.start()
    await until('it has made what it may', () => made[1] === 1)
    assert.equal(made[0], 3)
    const seen = owner.workers()
    assert.deepEqual(
      seen.map(({ name, parentId }) => [name, parentId]),
      [['maker', null], ...Array.from({ length: 3 }, () => ['nested', worker.id])],
    )
    await assert.rejects(UserWorker.create(untilStopped, { owner }), { code: 'EAGAIN' })
    // The thread that made them is terminated: they get no 'exit' event of their own.
    worker.kill()
    await worker.join()
    assert.deepEqual(owner.workers(), [])
    assert.equal((await fill(owner)).length, 4)
    await owner.stop()
  })

  test('holds for the owners below it together, and each has its own beside', async () => {
    const owner = tenant({ limits: { workers: 3 } })
    const [one, other] = [1, 2].map((number) =>
      tenant({ name: `part-${number}`, parent: owner, limits: { workers: 2 } }),
    ) as [Owner, Owner]
    assert.equal(one.parent, owner)
    assert.equal((await fill(one)).length, 2)
    assert.equal((await fill(other)).length, 1)
    await assert.rejects(UserWorker.create(untilStopped, { owner: one }), { owner: 'part-1' })
    await assert.rejects(UserWorker.create(untilStopped, { owner: other }), { owner: 'acme' })
    assert.equal(owner.workers().length, 3)
    await one.stop()
    assert.equal((await fill(other)).length, 1)
    await owner.stop()
  })

  test('can be changed, and a lower one leaves those alone who are there', async () => {
    const owner = tenant({ limits: { workers: 2, heapMb: 64 } })
    const workers = await fill(owner)
    assert.deepEqual(owner.setLimits({ workers: 1 }), { workers: 2, heapMb: 64 })
    assert.deepEqual(owner.limits, { workers: 1, heapMb: 64 })
    await workers[0]?.stop()
    assert.equal((await fill(owner)).length, 0)
    owner.setLimits({ workers: 5, heapMb: Infinity })
    assert.equal((await fill(owner)).length, 4)
    await owner.stop()
  })

  test('counts a spare for the owner it was adopted for, and leaves it a spare where there is no room', async () => {
    await UserWorker.spares(1)
    const owner = tenant({ limits: { workers: 1 } })
    const worker = await UserWorker.create(untilStopped, { owner })
    assert.equal(worker.describe().madeFrom, 'spare')
    assert.equal(owner.workers().length, 1)
    await until('there is another spare', () => Owner.current().workers().length === 2)
    await UserWorker.spares(1)
    await assert.rejects(UserWorker.create(untilStopped, { owner }), { code: 'EAGAIN' })
    const elsewhere = await UserWorker.create(untilStopped)
    assert.equal(elsewhere.describe().madeFrom, 'spare')
    await UserWorker.spares(0)
    await Promise.all([elsewhere.stop(), owner.stop()])
  })

  test('goes with the spares of its thread: they end with it, and their rows are free after that', async () => {
    for (const end of ['stop', 'kill'] as const) {
      await UserWorker.spares(2)
      const before = Owner.current()
      const ids = before.workers().map(({ osThreadId }) => osThreadId)
      assert.equal(ids.length, 2)
      void before[end]()
      await before.stop()
      assert.equal(claimedRows(table()).length, 0)
      const worker = await UserWorker.create(untilStopped)
      assert.equal(worker.describe().madeFrom, 'thread')
      assert.ok(!ids.includes(worker.osThreadId))
      await UserWorker.spares(0)
      await worker.stop()
    }
  })

  test('of heap holds for each worker below, and the least one counts', async () => {
    const owner = tenant({ limits: { heapMb: 48 }, parent: tenant({ limits: { heapMb: 200 } }) })
    const heapOf = (options: object): Promise<number> =>
      answerOf(
        "async () => (await import('node:worker_threads')).resourceLimits.maxOldGenerationSizeMb",
        options,
      )
    assert.equal(await heapOf({ owner }), 48)
    assert.equal(await heapOf({ owner, resourceLimits: { maxOldGenerationSizeMb: 90 } }), 48)
    assert.equal(await heapOf({ owner, resourceLimits: { maxOldGenerationSizeMb: 30 } }), 30)
    const nested = `async () => {
      const { UserWorker } = await import(${index})
      const text = "import { resourceLimits as limits } from 'node:worker_threads'\\n" +
        'export default () => limits.maxOldGenerationSizeMb'
      const worker = await UserWorker.create('data:text/javascript,' + encodeURIComponent(text))
      await worker.start()
      return worker.join()
    }`
    assert.equal(await answerOf(nested, { owner }), 48)
    await owner.parent?.stop()
  })

  test('refuses what is no limit, no owner and no option', () => {
    const wrong: [OwnerOptions, RegExp][] = [
      [{ limits: { workers: 0 } }, /limits\.workers must be a whole number from 1 to 4095, not 0/],
      [{ limits: { heapMb: 1 } }, /limits\.heapMb must be a number from 4/],
      [{ limits: { threads: 3 } as object }, /no option 'threads'.*workers, heapMb/],
      [{ parent: {} as Owner }, /parent must be made by new Owner\(\)/],
      [{ name: 5 as unknown as string }, /name/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => new Owner(options), { code: 'EINVAL', message })
    }
    assert.throws(() => tenant().setLimits({ workers: 1.5 }), { code: 'EINVAL' })
  })
})

describe('an owner', () => {
  test('that is stopped stops what is below, and nothing can be made there any more', async () => {
    const owner = tenant()
    const child = tenant({ parent: owner })
    const workers = [...(await makeSome(owner)), ...(await makeSome(child))]
    assert.equal(owner.state, 'running')
    await Promise.all([owner.stop(), owner.stop()])
    assert.deepEqual(
      workers.map(({ state, exitCode }) => [state, exitCode]),
      Array.from({ length: 4 }, () => ['exited', 0]),
    )
    assert.equal(owner.state, 'stopped')
    for (const ended of [owner, child]) {
      await assert.rejects(UserWorker.create(untilStopped, { owner: ended }), { code: 'ENOSYS' })
    }
    assert.throws(() => tenant({ parent: owner }), { code: 'ENOSYS' })
    await assert.rejects(owner.freeze(), { code: 'ENOSYS' })
    assert.throws(() => owner.setLimits({ workers: 1 }), { code: 'ENOSYS' })
    owner.thaw()
    owner.kill()
  })

  test('that is being stopped lets nothing be made, and its row stays until the last one is gone', async () => {
    const owner = tenant()
    const flag = words(1)
    const deaf = functionOf(
      'async (flag) => { while (Atomics.load(flag, 0) === 0) await new Promise((r) => setTimeout(r, 5)) }',
    )
    const worker = await UserWorker.create(deaf, { owner, data: flag })
    await worker.start()
    const stopped = owner.stop()
    await assert.rejects(UserWorker.create(untilStopped, { owner }), { code: 'ENOSYS' })
    assert.throws(() => tenant({ parent: owner }), { code: 'ENOSYS' })
    assert.equal(owner.workers().length, 1)
    Atomics.store(flag, 0, 1)
    await stopped
  })

  test('of a thread that keeps spares takes them along when it is stopped', async () => {
    const before = claimedRows(table()).length
    await UserWorker.spares(2)
    assert.equal(Owner.current().workers().length, 2)
    await Owner.current().stop()
    assert.ok(claimedRows(table()).length <= before)
    await UserWorker.spares(0)
  })

  test('that is asked to stop within a time says who is left, and can be asked again', async () => {
    const owner = tenant()
    const flag = words(1)
    const deaf = functionOf(
      'async (flag) => { while (Atomics.load(flag, 0) === 0) await new Promise((r) => setTimeout(r, 5)) }',
    )
    const worker = await UserWorker.create(deaf, { owner, data: flag, name: 'deaf' })
    await worker.start()
    await assert.rejects(owner.stop({ deadlineMs: 50 }), { code: 'ETIME', message: /'deaf'/ })
    Atomics.store(flag, 0, 1)
    await owner.stop()
    assert.equal(worker.exitCode, 0)
  })

  test('SG-9, INV-SIG-3: that is killed takes its workers and theirs along, and says why', async () => {
    const owner = tenant()
    const made = words(2)
    const inner = tenant({ parent: owner, limits: { workers: 3 } })
    const data = { made, url: untilStopped.href }
    const worker = await UserWorker.create(maker, { owner: inner, data })
    await worker.start()
    const atGate = await UserWorker.create(untilStopped, { owner })
    await until('all are there', () => made[1] === 1)
    const reason = new Error('unpaid')
    owner.kill(reason)
    owner.kill(new Error('another'))
    assert.deepEqual([await worker.join(), await atGate.join()], [-9, -4])
    for (const { error } of [worker, atGate]) {
      assert.ok(error !== null)
      assert.deepEqual(
        [(error as { code?: string }).code, error.cause],
        ['ERR_OWNER_KILLED', reason],
      )
    }
    assert.deepEqual([owner.state, inner.state], ['killed', 'killed'])
    for (const each of [owner, inner]) {
      await assert.rejects(UserWorker.create(untilStopped, { owner: each }), {
        code: 'ERR_OWNER_KILLED',
        cause: reason,
      })
    }
    const byText = new Owner({ name: 'other' })
    byText.kill('unpaid')
    await assert.rejects(UserWorker.create(untilStopped, { owner: byText }), {
      message: "The owner 'other' was killed: unpaid",
      cause: 'unpaid',
    })
    // Else its row would be free whenever the collector likes, and the next tests count rows.
    await byText.stop()
    await until('no worker of a worker is left', () => owner.workers().length === 0)
    await owner.stop()
  })

  test('BUG-SIG-4, INV-UW-5: leaves no row behind, however it ends, and however its workers ended', async () => {
    const before = claimedRows(table()).length
    for (let round = 0; round < 5; round++) {
      const owner = tenant({ limits: { workers: 4 } })
      const workers = await fill(owner)
      workers[0]?.kill()
      if (round % 2 === 0) owner.kill()
      await owner.stop()
    }
    assert.equal(claimedRows(table()).length, before)
  })

  test('that nobody has any more gives its row back', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const before = claimedRows(table()).length
    await (await UserWorker.create(untilStopped, { owner: tenant() })).stop()
    // Those of other tests may be among them.
    await until('the row is free', () => {
      collect()
      return claimedRows(table()).length <= before
    })
  })

  test('that was below one that has ended, and is forgotten, frees no row of another', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const forget = async (): Promise<void> => {
      const owner = tenant()
      const child = tenant({ parent: owner, limits: { workers: 1 } })
      await (await UserWorker.create(untilStopped, { owner: child })).stop()
      await owner.stop()
    }
    await Promise.all([1, 2, 3].map(forget))
    const workers = await makeSome(Owner.current())
    const rows = claimedRows(table())
    for (let round = 0; round < 20; round++) {
      collect()
      await new Promise((resolve) => {
        setTimeout(resolve, 2)
      })
    }
    assert.deepEqual(claimedRows(table()), rows)
    const codes = await Promise.all(workers.map((worker) => worker.stop()))
    assert.deepEqual(codes, [0, 0])
  })

  test('of a thread is there without being made, and a thread that is no worker has its own', async () => {
    const own = Owner.current()
    assert.equal(Owner.current(), own)
    assert.equal(own.parent, null)
    const worker = await UserWorker.create(untilStopped)
    assert.deepEqual(
      own.workers().map(({ id }) => id),
      [worker.id],
    )
    await own.stop()
    assert.equal(worker.exitCode, -4)
    assert.notEqual(Owner.current(), own)
    await (await UserWorker.create(untilStopped)).stop()
  })
})

function makeSome(owner: Owner): Promise<UserWorker[]> {
  return Promise.all(
    [1, 2].map(async () => {
      const worker = await UserWorker.create(untilStopped, { owner })
      await worker.start()
      return worker
    }),
  )
}
