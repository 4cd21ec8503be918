import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkQueue } from '../../index.js'
import { type Make, word, failureOf, marked, moduleOf, test } from './support.fixture.js'

/** What the contract says about signals. */
export function signalContract(make: Make): void {
  test('a work whose signal was aborted before does not run and rejects with an AbortError', async () => {
    await using queue = make()
    const counter = word()
    const error = await failureOf(
      queue.run('count', [counter], { signal: AbortSignal.abort('why') }),
    )
    assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', 'why'])
    await queue.run('nothing')
    assert.equal(counter[0], 0)
  })

  test('aborting a pending work rejects it at once, and it never runs', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [gate, counter, controller] = [word(), word(), new AbortController()]
    const blocker = queue.run('waitFor', [gate])
    const work = queue.enqueue('count', [counter], { signal: controller.signal, key: 'k' })
    const behind = queue.enqueue('count', [counter], { signal: controller.signal, key: 'k' })
    controller.abort(new RangeError('enough'))
    for (const { result } of [work, behind]) {
      const error = await failureOf(result)
      assert.deepEqual([error.code, (error.cause as Error).message], ['ABORT_ERR', 'enough'])
    }
    assert.equal(work.state, 'canceled')
    Atomics.store(gate, 0, 1)
    await blocker
    assert.equal(counter[0], 0)
  })

  test('aborting a running work rejects it at once, and the handler sees the reason', async () => {
    await using queue = make({ maxWorkers: 1 })
    const [begun, controller] = [word(), new AbortController()]
    const result = queue.run('untilAborted', [begun], { signal: controller.signal })
    await marked(begun)
    controller.abort('why')
    const error = await failureOf(result)
    assert.deepEqual([error.code, error.cause], ['ABORT_ERR', 'why'])
    assert.equal(await queue.run('add', [1, 2]), 3, 'the same worker goes on')
  })

  test('the key of an aborted work stays taken until its handler has ended', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [gate, counter, controller] = [word(), word(), new AbortController()]
    const work = queue.enqueue('waitFor', [gate], { key: 'k', signal: controller.signal })
    while (work.state !== 'running') await sleep(1)
    controller.abort()
    await failureOf(work.result)
    const next = queue.enqueue('count', [counter], { key: 'k' })
    await sleep(30)
    assert.deepEqual([next.state, counter[0]], ['pending', 0])
    Atomics.store(gate, 0, 1)
    assert.equal(await next.result, 1)
  })

  test('one signal may serve 1,000 works: no warning, and no listener is left behind', async () => {
    const warnings: Error[] = []
    const listener = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', listener)
    await using queue = make({ maxWorkers: 1 })
    const { signal } = new AbortController()
    let [added, removed] = [0, 0]
    const spied = Object.assign(signal, {
      addEventListener: (...args: [string, () => void]) => (
        added++,
        AbortSignal.prototype.addEventListener.apply(signal, args)
      ),
      removeEventListener: (...args: [string, () => void]) => (
        removed++,
        AbortSignal.prototype.removeEventListener.apply(signal, args)
      ),
    })
    await Promise.all(
      Array.from({ length: 1000 }, () => queue.run('add', [1, 2], { signal: spied })),
    )
    await sleep(5)
    process.off('warning', listener)
    assert.deepEqual([warnings, added - removed], [[], 0])
    assert.ok(added >= 1)
  })

  test('a reason that refuses to be looked at aborts all the same, and every work of the signal', async () => {
    const refuse = (): never => {
      throw new Error('trap')
    }
    const reasons = [
      new Proxy(new Error('x'), { get: refuse, getPrototypeOf: refuse }),
      { method: () => {} },
    ]
    for (const reason of reasons) {
      await using queue = make({ maxWorkers: 1 })
      const [begun, controller] = [word(), new AbortController()]
      const { signal } = controller
      const works = [
        queue.run('untilAborted', [begun], { signal }),
        queue.run('nothing', [], { signal }),
        queue.run('nothing', [], { signal, key: 'k' }),
      ]
      await marked(begun)
      controller.abort(reason)
      for (const work of works) assert.equal((await failureOf(work)).code, 'ABORT_ERR')
    }
  })

  test('a signal that is aborted while the arguments are read aborts the work, and harms no other', async () => {
    await using queue = make({ maxWorkers: 1 })
    const controller = new AbortController()
    const argument = {
      get value(): number {
        controller.abort('inside')
        return 1
      },
    }
    await queue.run('nothing')
    const works = [
      queue.run('echo', [argument], { signal: controller.signal }),
      queue.run('add', [1, 2]),
    ]
    assert.equal((await failureOf(works[0] as Promise<unknown>)).code, 'ABORT_ERR')
    assert.equal(await works[1], 3)
  })

  test('a listener of the signal may ask which work it belongs to', async () => {
    const text = `import { current } from '${new URL('../current.js', import.meta.url).href}'
      export const wait = (begun) => new Promise((resolve) => {
        current().signal.addEventListener('abort', () => resolve(current().name))
        Atomics.store(begun, 0, 1)
      })`
    await using queue = make({}, moduleOf(text))
    const begun = word()
    const work = (queue as unknown as WorkQueue).enqueue('wait', [begun])
    await marked(begun)
    assert.equal(work.cancel(), 'running')
    assert.equal(await work.result, 'wait')
  })
}
