import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner } from '../worker/index.js'
import { failureOf, word } from './contract/support.fixture.js'
import { WorkQueue, type WorkQueueOptions } from './index.js'

checkForLeaks()

type Handlers = typeof import('./thaw.fixture.js')
const module = new URL('./thaw.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<Handlers> => new WorkQueue(module, options)

/** What is lost is reported, and holds up nothing. */
async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  const abort = new AbortController()
  const late = sleep(20_000, null, { signal: abort.signal }).then(() =>
    assert.fail(`lost: ${what}`),
  )
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    abort.abort()
  }
}

describe('a work that comes to a frozen queue which has no worker yet', () => {
  test('runs after the thaw of the queue, or of its owner', async () => {
    await using owner = new Owner()
    for (const frozen of ['queue', 'owner']) {
      const queue = make({ owner })
      const target = frozen === 'queue' ? queue : owner
      await target.freeze()
      const work = queue.run('echo', [5])
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(queue.workers(), [])
      target.thaw()
      assert.equal(await soon(frozen, work), 5)
      await queue.close()
    }
  })

  test('has as long as before for its worker to load: no time passes for that in a freeze', async () => {
    await using owner = new Owner()
    await using queue = make({ owner, loadDeadlineMs: 3000 })
    const work = queue.run('echo', [5])
    await owner.freeze({ at: 'anywhere' })
    await sleep(4000)
    owner.thaw()
    assert.equal(await soon('the work', work), 5)
  })

  test('is rejected when its owner is killed, and runs when its owner is stopped', async () => {
    const [killed, stopped] = [new Owner(), new Owner()]
    await Promise.all([killed.freeze(), stopped.freeze()])
    const failure = failureOf(make({ owner: killed }).run('echo', [1]))
    const work = make({ owner: stopped }).run('echo', [2])
    killed.kill()
    assert.equal((await soon('kill', failure)).code, 'ERR_OWNER_KILLED')
    await Promise.all([killed.stop(), stopped.stop()])
    assert.equal(await soon('stop', work), 2)
  })

  test('runs also where another thread had frozen it, from far above', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, asked] = [word(), word()]
    const work = queue.enqueue('nested', [gate, asked])
    await until('it runs', () => work.state === 'running')
    const { laggards } = await queue.freeze({ deadlineMs: 1 })
    assert.equal(laggards.length, 1)
    Atomics.store(gate, 0, 1)
    await until('it has asked', () => asked[0] === 1)
    // All that the thread heard of the freeze it has heard by then.
    await sleep(50)
    queue.thaw()
    assert.equal(await soon('nested', work.result), 7)
  })
})

test('a thaw lets a work begin whose worker did not stand, because of another that it awaits', async () => {
  await using queue = make({ maxWorkers: 1, concurrency: 2 })
  const [begun, gate] = [word(), word()]
  const long = queue.run('awaited', [begun, gate])
  await until('it runs', () => begun[0] === 1)
  assert.equal((await queue.freeze({ deadlineMs: 1 })).laggards.length, 1)
  const work = queue.run('echo', [5])
  // The thread has looked for it, and sleeps.
  await sleep(100)
  queue.thaw()
  assert.equal(await soon('beside', work), 5)
  Atomics.store(gate, 0, 1)
  await long
})
