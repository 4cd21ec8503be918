import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { loop, Owner, UserWorker } from './index.js'

checkForLeaks()

const inside = JSON.stringify(new URL('./inside.js', import.meta.url).href)

/** The words: what the bell moves, how many batches there were, how many sleeps, what there is to do. */
const Word = { BELL: 0, BATCHES: 1, SLEEPS: 2, TODO: 3 } as const

/** A loop that sleeps where no message reaches it: on a word of its own. */
function blocking(options = ''): URL {
  return moduleOf(`
    import { loop } from ${inside}
    let words = null
    export default loop((data) => {
      words = data
      Atomics.add(words, 1, 1)
      return Atomics.exchange(words, 3, 0) > 0
    }, {
      sleep(self) {
        if (typeof self.shouldStop !== 'function') throw new Error('no self')
        Atomics.add(words, 2, 1)
        Atomics.wait(words, 0, 0, 60000)
        Atomics.store(words, 0, 0)
      },
      ${options}
    })`)
}

/** A worker that has begun to sleep, and how often it was rung for. */
async function asleep(
  module: URL,
  owner?: Owner,
): Promise<{ worker: UserWorker; words: Int32Array; rings: () => number }> {
  const words = new Int32Array(new SharedArrayBuffer(16))
  let rings = 0
  const bell = (): void => {
    rings++
    Atomics.store(words, Word.BELL, 1)
    Atomics.notify(words, Word.BELL)
  }
  const worker = await UserWorker.create(module, { data: words, bell, ...(owner && { owner }) })
  await worker.start()
  await until('it sleeps', () => Atomics.load(words, Word.SLEEPS) > 0)
  return { worker, words, rings: () => rings }
}

describe('the bell of a worker that blocks in a way of its own', () => {
  test('is called for a wake, and the loop runs a batch', async () => {
    const { worker, words } = await asleep(blocking())
    for (let round = 0; round < 20; round++) {
      const sleeps = Atomics.load(words, Word.SLEEPS)
      Atomics.store(words, Word.TODO, 1)
      worker.wake()
      await until('it has done it', () => Atomics.load(words, Word.TODO) === 0)
      await until('it sleeps', () => Atomics.load(words, Word.SLEEPS) > sleeps)
    }
    const batches = Atomics.load(words, Word.BATCHES)
    await sleep(30)
    assert.equal(Atomics.load(words, Word.BATCHES), batches, 'it does not sleep')
    assert.equal(await worker.stop(), 0)
  })

  test('is called for a stop, a park, a freeze and a kill', async () => {
    const stopped = await asleep(blocking())
    assert.equal(await stopped.worker.stop(), 0)
    const parked = await asleep(blocking())
    await parked.worker.park()
    const batches = parked.words[Word.BATCHES]
    parked.worker.wake()
    assert.equal(parked.words[Word.BATCHES], batches)
    parked.worker.unpark()
    await until('it goes on', () => parked.words[Word.BATCHES] !== batches)
    assert.deepEqual(await parked.worker.freeze(), { laggards: [] })
    parked.worker.thaw()
    assert.equal(await parked.worker.stop(), 0)
    const killed = await asleep(blocking())
    const end = killed.worker.join()
    killed.worker.kill()
    assert.equal(await end, -9)
  })

  test('is called when an owner above is frozen, thawed and killed', async () => {
    const owner = new Owner({ name: 'tenant' })
    const { worker, words } = await asleep(blocking("onOwnerKill: 'linger'"), owner)
    await owner.freeze()
    const batches = words[Word.BATCHES]
    Atomics.store(words, Word.TODO, 1)
    worker.wake()
    await sleep(20)
    assert.equal(words[Word.BATCHES], batches)
    owner.thaw()
    await until('it has done it', () => Atomics.load(words, Word.TODO) === 0)
    owner.kill()
    assert.equal(await worker.stop(), 0)
    const other = new Owner({ name: 'other' })
    const dying = await asleep(blocking("onOwnerKill: 'die'"), other)
    const end = dying.worker.join()
    other.kill()
    assert.equal(await end, -9)
  })

  test('is silent while the worker is awake, and after its end', async () => {
    const { worker, rings } = await asleep(
      moduleOf(`
        import { loop } from ${inside}
        let words = null
        export default loop((data) => { words = data; return true }, { sleep() {} })
        const mark = setInterval(() => { if (words !== null) { Atomics.add(words, 2, 1); clearInterval(mark) } }, 1)`),
    )
    const before = rings()
    for (let round = 0; round < 100; round++) worker.wake()
    assert.equal(rings(), before)
    assert.equal(await worker.stop(), 0)
    const after = rings()
    worker.wake()
    worker.requestStop()
    worker.kill()
    assert.equal(rings(), after)
  })

  test('must be a function, and so must the sleep of a loop', async () => {
    for (const bell of [1, null, 'ring', {}]) {
      const options = { bell } as object
      await assert.rejects(UserWorker.create(functionOf('() => 7'), options), { code: 'EINVAL' })
      assert.throws(() => loop(() => false, { sleep: bell as never }), { code: 'EINVAL' })
    }
  })
})

describe('the sleep of a loop', () => {
  test('may be in the event loop, by a promise', async () => {
    const words = new Int32Array(new SharedArrayBuffer(16))
    const module = moduleOf(`
      import { loop } from ${inside}
      let words = null
      export default loop((data) => { words = data; Atomics.add(words, 1, 1); return false }, {
        sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
      })`)
    const worker = await UserWorker.create(module, { data: words })
    await worker.start()
    await until('it has slept some times', () => Atomics.load(words, Word.BATCHES) > 5)
    assert.equal(await worker.stop(), 0)
  })

  test('that throws ends the worker with code 1', async () => {
    for (const text of [
      "() => { throw new Error('no') }",
      "async () => { throw new Error('no') }",
    ]) {
      const worker = await UserWorker.create(
        moduleOf(
          `import { loop } from ${inside}; export default loop(() => false, { sleep: ${text} })`,
        ),
      )
      let message = ''
      worker.onExit((_, error) => {
        message = error?.message ?? ''
      })
      await worker.start()
      assert.equal(await worker.join(), 1)
      assert.match(message, /no/)
    }
  })

  test('does not begin where a wake has come since the batch began', async () => {
    const words = new Int32Array(new SharedArrayBuffer(16))
    const module = moduleOf(`
      import { loop } from ${inside}
      let words = null
      export default loop((data) => {
        words = data
        // The owner wakes it in the middle of the first batch.
        if (Atomics.add(words, 1, 1) === 0) { Atomics.store(words, 3, 1); Atomics.wait(words, 3, 1, 60000) }
        return false
      }, { sleep() { Atomics.store(words, 2, Atomics.load(words, 1)); Atomics.wait(words, 0, 0, 60000) } })`)
    const bell = (): void => {
      Atomics.store(words, Word.BELL, 1)
      Atomics.notify(words, Word.BELL)
    }
    const worker = await UserWorker.create(module, { data: words, bell })
    await worker.start()
    await until('it is in its batch', () => Atomics.load(words, Word.TODO) === 1)
    worker.wake()
    Atomics.store(words, Word.TODO, 2)
    Atomics.notify(words, Word.TODO)
    await until('it sleeps', () => Atomics.load(words, Word.SLEEPS) > 0)
    assert.ok((words[Word.SLEEPS] ?? 0) >= 2, 'it slept after the first batch')
    assert.equal(await worker.stop(), 0)
  })
})
