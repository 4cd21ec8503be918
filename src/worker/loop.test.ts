import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { isIdle, until as untilSo } from '../os/own-thread.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, loop, UserWorker } from './index.js'

checkForLeaks()

const inside = JSON.stringify(new URL('./inside.js', import.meta.url).href)
const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

/** A worker whose module is `loop` of this batch function. */
async function looping(batch: string, data: unknown, names = 'loop'): Promise<UserWorker> {
  const module = moduleOf(`import { ${names} } from ${inside}; export default loop(${batch})`)
  const worker = await UserWorker.create(module, { data })
  await worker.start()
  return worker
}

/** Waits until a word has a value, for at most a minute. */
async function until(word: Int32Array, index: number, value: number): Promise<void> {
  const end = performance.now() + 60_000
  while (Atomics.load(word, index) !== value) {
    assert.ok(performance.now() < end, `word ${index} is ${word[index]}, not ${value}`)
    await turn()
  }
}

/** Batches: takes all that was produced (word 0) and counts it as consumed (word 1). */
const consume = `(words) => {
  Atomics.add(words, 2, 1)
  const produced = Atomics.load(words, 0)
  const before = Atomics.exchange(words, 1, produced)
  return before !== produced
}`

describe('a loop', () => {
  test('VH-12, VH-23: calls its batch again at once after true, and sleeps after false', async () => {
    const state = words(3)
    const worker = await looping(
      `(words) => {
        Atomics.add(words, 2, 1)
        if (Atomics.load(words, 0) === 0) return false
        Atomics.sub(words, 0, 1)
        Atomics.add(words, 1, 1)
        return true
      }`,
      state,
    )
    await untilSo('a batch has found nothing', () => Atomics.load(state, 2) >= 1)
    Atomics.store(state, 0, 100)
    worker.wake()
    await until(state, 1, 100)
    await untilSo('it sleeps in its event loop', () => isIdle(worker.osThreadId))
    const calls = state[2]
    await sleep(30)
    assert.equal(state[2], calls, 'it sleeps')
    assert.equal(await worker.stop(), 0)
  })

  test('VH-13: a stop ends it between two batches, also when each finds something', async () => {
    for (const didWork of [true, false]) {
      const state = words(1)
      const worker = await looping(
        `(words, self) => {
          if (self.shouldStop()) Atomics.store(words, 0, -1)
          return ${didWork}
        }`,
        state,
      )
      await sleep(10)
      assert.equal(await worker.stop(), 0)
      // The stop may have come inside a batch, but no batch began after it.
      assert.ok(state[0] === 0 || didWork)
    }
  })

  test('turns its event loop, so that timers and the signal of a busy module are heard', async () => {
    const state = words(2)
    const worker = await looping(
      `(words, self) => {
        if (words[1] === 0) {
          words[1] = 1
          setTimeout(() => Atomics.store(words, 0, 1), 5)
        }
        return true
      }`,
      state,
    )
    await until(state, 0, 1)
    assert.equal(await worker.stop(), 0)
  })

  test('awaits a batch that returns a promise, and never runs two at once', async () => {
    const state = words(2)
    const worker = await looping(
      `async (words) => {
        if (Atomics.add(words, 0, 1) !== 0) Atomics.store(words, 1, -1)
        await new Promise((resolve) => setTimeout(resolve, 2))
        Atomics.sub(words, 0, 1)
        return Atomics.load(words, 1) >= 0 && Atomics.add(words, 1, 1) < 5
      }`,
      state,
    )
    await until(state, 1, 6)
    worker.wake()
    await until(state, 1, 7)
    assert.equal(await worker.stop(), 0)
  })

  test('ends with code 1 by an error of a batch, and by one that does not say what it did', async () => {
    const failing = await looping(`() => { throw new RangeError('no more') }`, null)
    assert.equal(await failing.join(), 1)
    assert.equal(failing.error?.message, 'no more')
    const silent = await looping('() => {}', null)
    assert.equal(await silent.join(), 1)
    assert.match(String(silent.error?.message), /returned undefined. It must return whether/)
  })

  test('is refused with EINVAL without a batch function', () => {
    assert.throws(() => loop('no function' as never), { code: 'EINVAL', name: 'TypeError' })
  })
})

describe('a wake', () => {
  test('VH-13, INV-VH-2: a storm of wakes, at every moment of a batch, loses nothing', async (t) => {
    const state = words(3)
    const worker = await looping(consume, state)
    const items = 100_000
    for (let item = 1; item <= items; item++) {
      Atomics.store(state, 0, item)
      worker.wake()
      // Now and then the worker gets so far as to sleep: for a moment, or in its event loop.
      if (item % 1000 === 0) await until(state, 1, item)
      if (item % 20_000 === 0) await sleep(12)
      for (let spin = (item * 7919) % 512; spin > 0; spin--) Atomics.load(state, 0)
    }
    await until(state, 1, items)
    t.diagnostic(`${items} wakes, ${state[2]} batches`)
    assert.equal(await worker.stop(), 0)
  })

  test('reaches a worker that sleeps in its event loop, each time', async () => {
    const state = words(3)
    const worker = await looping(consume, state)
    for (let item = 1; item <= 20; item++) {
      await sleep(8)
      Atomics.store(state, 0, item)
      worker.wake()
      await until(state, 1, item)
    }
    assert.equal(await worker.stop(), 0)
  })

  test('VH-21: is harmless on a worker that was stopped, killed, or is long gone', async () => {
    const worker = await looping('() => false', null)
    worker.requestStop()
    worker.wake()
    assert.equal(await worker.join(), 0)
    worker.wake()
    const killed = await looping('() => false', null)
    killed.kill()
    killed.wake()
    assert.equal(await killed.join(), -9)
    killed.wake()
  })

  test('does not call a function whose worker was not started', async () => {
    const calls = words(1)
    const worker = await UserWorker.create(
      functionOf('(calls, self) => { Atomics.add(calls, 0, 1) }'),
      { data: calls },
    )
    worker.wake()
    await sleep(15)
    assert.equal(calls[0], 0)
    assert.equal(await worker.stop(), EINTR)
  })

  for (const sleepIn of ['await self.sleep(60000)', 'self.sleepSync(60000)']) {
    test(`ends a sleep and tells what was left: ${sleepIn}`, async () => {
      const worker = await UserWorker.create(
        functionOf(`async (data, self) => {
          const left = ${sleepIn}
          return left > 50000 && left <= 60000 ? 8 : 1
        }`),
      )
      await worker.start()
      await sleep(10)
      worker.wake()
      assert.equal(await worker.join(), 8)
    })

    test(`that comes before a sleep ends it at once, and only that one: ${sleepIn}`, async () => {
      const ready = words(1)
      const worker = await UserWorker.create(
        functionOf(`async (ready, self) => {
          Atomics.wait(ready, 0, 0)
          const first = ${sleepIn}
          const second = ${sleepIn.replace('60000', '30')}
          return first > 0 && second === 0 ? 9 : 1
        }`),
        { data: ready },
      )
      await worker.start()
      worker.wake()
      worker.wake()
      Atomics.store(ready, 0, 1)
      Atomics.notify(ready, 0)
      assert.equal(await worker.join(), 9)
    })
  }

  test('ends all the sleeps of a worker that sleeps several times at once', async () => {
    const short = words(1)
    const worker = await UserWorker.create(
      functionOf(`async (short, self) => {
        const shortSleep = self.sleep(5)
        void shortSleep.then(() => Atomics.store(short, 0, 1))
        const lefts = await Promise.all([self.sleep(60000), self.sleep(50000), shortSleep])
        return lefts[0] > 0 && lefts[1] > 0 && lefts[2] === 0 ? 3 : 1
      }`),
      { data: short },
    )
    await worker.start()
    await until(short, 0, 1)
    worker.wake()
    assert.equal(await worker.join(), 3)
  })
})

describe('a function that has its own loop', () => {
  test('VH-20, VH-24: is started apart from its creation, and asks itself whether to stop', async () => {
    const state = words(1)
    const worker = await UserWorker.create(
      functionOf(`async (words, self) => {
        while (!self.shouldStop()) { Atomics.add(words, 0, 1); await self.sleep(60000) }
        return 2
      }`),
      { data: state },
    )
    await sleep(10)
    assert.equal(state[0], 0)
    await worker.start()
    await until(state, 0, 1)
    worker.wake()
    await until(state, 0, 2)
    assert.equal(await worker.stop(), 2)
  })

  test('VH-22: when stop has returned, the function touches nothing any more', async () => {
    const state = words(1)
    const worker = await looping('(words) => { Atomics.add(words, 0, 1); return true }', state)
    while (Atomics.load(state, 0) === 0) await turn()
    await worker.stop()
    const last = state[0]
    await sleep(20)
    assert.equal(state[0], last)
  })
})
