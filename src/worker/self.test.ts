import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { ask } from './control.js'
import { UserWorker } from './index.js'
import { OwnSelf } from './self.js'
import { take } from './state.js'
import { at, claim, emptyTable, Field } from './table.js'

checkForLeaks()

const words = (count = 1): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))

async function codeOf(text: string, data: unknown = null): Promise<number> {
  const worker = await UserWorker.create(functionOf(text), { data })
  await worker.start()
  return worker.join()
}

describe('a worker, by itself', () => {
  test('NP-4: that requests its own stop goes on, and can clean up', async () => {
    const code = await codeOf(`async (data, self) => {
      if (self.shouldStop()) return 1
      let aborted = 0
      self.signal.addEventListener('abort', () => { aborted++ })
      self.requestStop()
      self.requestStop()
      if (!self.shouldStop() || aborted !== 0) return 2
      if ((await self.sleep(60000)) !== -4) return 3
      await new Promise((resolve) => setTimeout(resolve, 20))
      return aborted === 1 ? 7 : 4
    }`)
    assert.equal(code, 7)
  })

  test('INV-KT-5: hears the abort of its signal, however the stop falls into its start', async () => {
    const shared = emptyTable()
    const row = claim(shared, 0)
    const never = (): never => assert.fail('nobody leaves here')
    const self = new OwnSelf(shared, row, 'some', { parked() {}, lookBelow() {}, leave: never })
    take(shared, at(row, Field.CONTROL), 'loaded')
    let aborted = 0
    const called = self
      .gate(() => {
        if (!take(shared, at(row, Field.CONTROL), 'enter')) return false
        // The gate is open and the function not called: now the owner asks, and rings.
        ask(shared, row, 'stop')
        return true
      })
      .then(() => self.signal.addEventListener('abort', () => aborted++))
    ask(shared, row, 'start')
    self.ring()
    await called
    assert.equal(self.signal.aborted, false)
    self.ring()
    assert.equal(aborted, 1)
  })

  test('KT-10: exits with a code from wherever it stands, and nothing behind that runs', async () => {
    const after = words()
    const code = await codeOf(
      `async (after, self) => {
        try { await Promise.resolve().then(() => self.exit(42)) } finally { Atomics.add(after, 0, 1) }
      }`,
      after,
    )
    assert.deepEqual([code, after[0]], [42, 0])
    assert.equal(await codeOf('(data, self) => self.exit(-7)'), -7)
  })

  test('KT-26: completes and exits, with none of its code running after the completion', async () => {
    for (let round = 0; round < 10; round++) {
      const [done, late] = [words(), words(2)]
      const worker = await UserWorker.create(
        functionOf(`({ done, late }, self) => {
          const count = () => Atomics.add(late, 1, Atomics.load(done, 0))
          process.on('exit', () => { Atomics.add(late, 0, 1); count() })
          setImmediate(count)
          Promise.resolve().then(count)
          new FinalizationRegistry(count).register({}, 0)
          try { self.completeAndExit(done, 42) } finally { count() }
        }`),
        { data: { done, late } },
      )
      await worker.start()
      while (Atomics.load(done, 0) === 0) await sleep(1)
      const atCompletion = [...late]
      assert.equal(await worker.join(), 42)
      assert.deepEqual([...late], atCompletion)
      assert.deepEqual(atCompletion, [1, 0], 'its exit listeners ran before, and nothing after')
    }
  })

  test('KT-26: wakes a thread that is blocked until the completion', async () => {
    const done = words()
    const waiter = await UserWorker.create(
      functionOf('(done) => (Atomics.wait(done, 0, 0, 10000) === "timed-out" ? 1 : 5)'),
      { data: done },
    )
    await waiter.start()
    assert.equal(await codeOf('(done, self) => self.completeAndExit(done, 3)', done), 3)
    assert.equal(await waiter.join(), 5)
  })

  test("KT-10, KT-26: leaves for good, whatever its listeners for 'exit' do", async () => {
    for (const last of [
      'process.exit(9)',
      'self.exit(9)',
      'self.completeAndExit(done, 9)',
      "process.removeAllListeners('exit')",
      "throw new Error('at the exit')",
    ]) {
      const [done, behind] = [words(), words()]
      const worker = await UserWorker.create(
        functionOf(`async ({ done, behind }, self) => {
          process.on('exit', () => { ${last} })
          try { self.completeAndExit(done, 42) } catch { Atomics.add(behind, 0, 1) }
          await new Promise(() => {})
        }`),
        { data: { done, behind } },
      )
      await worker.start()
      assert.equal(await worker.join(), 42, last)
      assert.deepEqual([done[0], behind[0]], [1, 0], last)
    }
    const text = `async (data, self) => {
      process.on('exit', () => { throw new Error('at the exit') })
      try { self.exit(7) } catch { self.exit(8) }
    }`
    assert.equal(await codeOf(text), 7)
  })

  test('is told at once what it asks for wrongly, and dies of it like of any error', async () => {
    for (const [call, message] of [
      ['self.exit(1.5)', /^exit: code must be a whole number/],
      ['self.exit()', /^exit: code must be a whole number/],
      ['self.completeAndExit([0], 0)', /^completeAndExit: completion must be an Int32Array/],
      ['self.completeAndExit(new Int32Array(1), 0)', /must be an Int32Array over a SharedArray/],
      ['self.sleepSync(-1)', /^sleepSync: ms must be/],
    ] as const) {
      const worker = await UserWorker.create(functionOf(`(data, self) => ${call}`))
      await worker.start()
      assert.equal(await worker.join(), 1, call)
      assert.match(String(worker.error?.message), message)
      assert.equal((worker.error as { code?: string } | null)?.code, 'EINVAL')
    }
  })

  test('KT-21: passes a checkpoint without a stay when nobody asked it to park', async () => {
    assert.equal(await codeOf('(data, self) => (self.checkpoint() === false ? 6 : 1)'), 6)
  })
})
