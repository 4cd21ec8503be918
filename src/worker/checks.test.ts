import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { SHARE_ENV, Worker } from '../os/thread.js'
import { bindError, bindThread } from './cpus.js'
import { joinSlots } from './table.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { Owner, UserWorker } from './index.js'
import { nameOf } from './options.js'

checkForLeaks()

const sleeper = functionOf('(data, self) => self.sleep(60000)')

describe('a worker as a program sees it', () => {
  test('is shown by inspect, with its name, number and state', async () => {
    const worker = await UserWorker.create(sleeper, { name: 'shown', env: SHARE_ENV })
    await worker.start()
    assert.match(inspect(worker), /UserWorker .*shown/s)
    await worker.stop()
  })

  test('has a name from its module, whatever that is', () => {
    for (const [url, name] of [
      ['file:///a/poller.mjs', 'poller'],
      ['file:///a/%FF.js', '%FF'],
      ['file:///a/.js', 'worker'],
      ['data:text/javascript,', 'worker'],
    ] as const)
      assert.equal(nameOf(url), name)
  })

  test('is told why it was not bound to CPUs', () => {
    assert.equal(bindThread(null, 'all'), 'unsupported')
    for (const [outcome, code] of [
      ['unsupported', 'ENOTSUP'],
      ['not-found', 'ENOSYS'],
      ['refused', 'ENOTSUP'],
      ['no-cpu', 'EINVAL'],
    ] as const)
      assert.equal((bindError(outcome as never, [0]) as { code?: string }).code, code)
  })
})

describe('what a thread cannot begin with', () => {
  test('is said: a module without a function, data that its stack cannot hold', async () => {
    const empty = UserWorker.create('data:text/javascript,' as never)
    await assert.rejects(empty, { code: 'ERR_NO_HANDLER', message: /It exports: nothing/ })
    let data: unknown = 1
    for (let level = 0; level < 1000; level++) data = [data]
    const deep = UserWorker.create(sleeper, { data, resourceLimits: { stackSizeMb: 0.3 } })
    await assert.rejects(deep, { code: 'ERR_NOT_CLONEABLE' })
  })

  test('is said to a thread of another kind that loads where ours begin', async () => {
    const thread = new Worker(new URL('./entry.js', import.meta.url), { workerData: { row: 1 } })
    const [error] = (await once(thread, 'error')) as [Error]
    assert.match(error.message, /'userworker\/entry' is where the library's threads begin/)
    await once(thread, 'exit')
  })
})

describe('a freeze of a worker that is busy', () => {
  test('names it as the one that does not stand', async () => {
    const busy = functionOf('() => { const end = Date.now() + 1000; while (Date.now() < end); }')
    const worker = await UserWorker.create(busy, { name: 'busy' })
    await worker.start()
    const { laggards } = await worker.freeze({ at: 'anywhere', deadlineMs: 1 })
    assert.deepEqual(
      laggards.map(({ name }) => name),
      ['busy'],
    )
    worker.thaw()
    await worker.stop()
  })
})

describe('waits of workers for each other', () => {
  test(`are looked through for ${joinSlots} at a time, and more still come to their ends`, async () => {
    const text = `async (data, self) => {
      const { UserWorker } = await import(${JSON.stringify(new URL('../index.js', import.meta.url).href)})
      const module = 'data:text/javascript,' + encodeURIComponent('export default async (d, self) => { await self.sleep(60000); return 3 }')
      const workers = await Promise.all(Array.from({ length: ${joinSlots + 2} }, () => UserWorker.create(module)))
      await Promise.all(workers.map((each) => each.start()))
      const codes = await Promise.all(workers.map((each) => each.stop()))
      return codes.reduce((sum, code) => sum + code, 0)
    }`
    const worker = await UserWorker.create(functionOf(text))
    await worker.start()
    assert.equal(await worker.join(), 3 * (joinSlots + 2))
  })
})

describe('an owner that has ended', () => {
  test('says so, with the limits it had', async () => {
    const owner = new Owner({ name: 'ended', limits: { workers: 3 } })
    await owner.stop()
    assert.equal(owner.state, 'stopped')
    assert.equal(owner.limits.workers, 3)
    await assert.rejects(owner.freeze({ at: 'once' } as never), { code: 'EINVAL' })
  })
})
