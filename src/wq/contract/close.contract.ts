import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../os/own-thread.fixture.js'
import {
  type Make,
  word,
  failureOf,
  marked,
  moduleOf,
  withAllWorkers,
  test,
} from './support.fixture.js'

/** What the contract says about closing. */
export function closeContract(make: Make): void {
  test('WQ-51: close finishes bounded works, also pending ones, and tears down each worker', async () => {
    const [tornDown, counter] = [word(), word()]
    const queue = make({ maxWorkers: 2, data: { tornDown } })
    await withAllWorkers(queue, { bounded: 2 })
    const works = Array.from({ length: 20 }, (_, index) =>
      queue.run('count', [counter], { key: index % 4 }),
    )
    const begun = queue.run('sleep', [20])
    assert.deepEqual(await queue.close(), { stuck: [] })
    await Promise.all([...works, begun])
    assert.deepEqual([counter[0], tornDown[0], queue.workers().length], [20, 2, 0])
  })

  test('WQ-50: a closed queue refuses works with ECANCELED, and WQ-51: unbounded ones are cancelled', async () => {
    const queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const begun = word()
    const running = queue.run('untilAborted', [begun], { unbounded: true })
    const pending = failureOf(queue.run('sleep', [1e6], { unbounded: true }))
    await marked(begun)
    const closed = queue.close()
    assert.equal((await failureOf(queue.run('add', [1, 2]))).code, 'ECANCELED')
    assert.equal((await pending).code, 'ECANCELED')
    assert.equal(await running, 'ECANCELED')
    assert.deepEqual(await closed, { stuck: [] })
    assert.equal((await failureOf(queue.run('add', [1, 2]))).code, 'ECANCELED')
  })

  test('WQ-53: closing idle workers of both classes takes less than 500 ms', async () => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const queue = make({ maxWorkers: 2 })
      await withAllWorkers(queue, { bounded: 2, unbounded: 2 })
      const begun = performance.now()
      assert.deepEqual(await queue.close(), { stuck: [] })
      times.push(performance.now() - begun)
      assert.equal(queue.workers().length, 0)
    }
    const median = times.sort((a, b) => a - b)[2] ?? Infinity
    assert.ok(median < 500, times.join(' ms, '))
  })

  test('close ends a work that never ends by force after closeDeadlineMs, and says which', async () => {
    const queue = make({ maxWorkers: 1, closeDeadlineMs: 100, name: 'spin' })
    const begun = word()
    const spinning = failureOf(queue.run('spin', [begun]))
    const pending = failureOf(queue.run('add', [1, 2]))
    await marked(begun)
    const at = Date.now()
    const { stuck } = await queue.close()
    assert.ok(Date.now() - at < 5000, 'it does not hang')
    assert.deepEqual(
      stuck.map(({ name, work }) => [name, work]),
      [['spin-1', 'spin']],
    )
    assert.deepEqual([(await spinning).code, (await pending).code], ['ECANCELED', 'ECANCELED'])
    assert.equal(queue.workers().length, 0)
  })

  test('a work that never ends keeps no idle worker from tearing down, and is named alone', async () => {
    const [tornDown, begun] = [word(), word()]
    const queue = make({ maxWorkers: 3, closeDeadlineMs: 2000, data: { tornDown } })
    await withAllWorkers(queue, { bounded: 3 })
    const spinning = failureOf(queue.run('spin', [begun]))
    await marked(begun)
    const closed = queue.close()
    await until('one worker is left', () => queue.workers().length === 1)
    assert.equal(tornDown[0], 2)
    const { stuck } = await closed
    assert.deepEqual(
      stuck.map(({ work }) => work),
      ['spin'],
    )
    assert.equal((await spinning).code, 'ECANCELED')
  })

  test('a worker that waits for a key tears down when close gives up on the key', async () => {
    const [tornDown, begun] = [word(), word()]
    const queue = make({ maxWorkers: 2, closeDeadlineMs: 100, data: { tornDown } })
    await withAllWorkers(queue, { bounded: 2 })
    const works = [
      queue.run('spin', [begun], { key: 'k' }),
      queue.run('nothing', [], { key: 'k' }),
    ].map(failureOf)
    await marked(begun)
    const { stuck } = await queue.close()
    assert.deepEqual(
      stuck.map(({ work }) => work),
      ['spin'],
    )
    for (const work of works) assert.equal((await work).code, 'ECANCELED')
    await until('no worker is left', () => queue.workers().length === 0)
    assert.equal(tornDown[0], 1)
  })

  test('a teardown that never ends is ended by force, and named', async () => {
    const text =
      'export const add = (a, b) => a + b; export const teardown = () => new Promise(() => {})'
    const queue = make({ maxWorkers: 1, closeDeadlineMs: 100 }, moduleOf(text))
    assert.equal(await queue.run('add', [1, 2]), 3)
    const { stuck } = await queue.close()
    assert.deepEqual(
      stuck.map(({ work }) => work),
      [null],
    )
  })

  test('a bounded work behind a key, whose class has no worker, is cancelled by close at once', async () => {
    const queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const begun = word()
    const held = queue.run('untilAborted', [begun], { key: 'k', unbounded: true })
    const behind = failureOf(queue.run('nothing', [], { key: 'k' }))
    await marked(begun)
    const at = Date.now()
    await queue.close()
    assert.ok(Date.now() - at < 5000, 'it does not wait for the deadline')
    assert.deepEqual([await held, (await behind).code], ['ECANCELED', 'ECANCELED'])
  })

  test('close before the first work, twice, and at once after a work has been submitted', async () => {
    assert.deepEqual(await make().close(), { stuck: [] })
    const queue = make()
    const work = queue.run('add', [1, 2])
    const closes = [queue.close(), queue.close()]
    assert.equal(await work, 3)
    assert.equal(await closes[0], await closes[1])
  })

  test('await using closes the queue', async () => {
    let outside
    {
      await using queue = make()
      outside = queue
      await queue.run('nothing')
    }
    assert.equal(outside.workers().length, 0)
    assert.equal((await failureOf(outside.run('nothing'))).code, 'ECANCELED')
  })

  test('close ends a thread that is still being made, and leaves nothing that keeps the process alive', async () => {
    // At the deadline the thread spins in its preload. One that is ended while Node reads files leaves them open.
    const slow = moduleOf('for (;;);')
    const queue = make({ maxWorkers: 1, closeDeadlineMs: 800, execArgv: ['--import', slow] })
    const work = failureOf(queue.run('nothing'))
    const at = Date.now()
    await queue.close()
    assert.equal((await work).code, 'ECANCELED')
    await until('no worker is left', () => queue.workers().length === 0)
    assert.ok(Date.now() - at < 800 + 5000, 'it does not hang')
  })

  test('a worker whose teardown begins at the deadline and does not end is named too', async () => {
    const text = `export { spin, waitFor, nothing } from '${new URL('../handlers.fixture.js', import.meta.url).href}'
      export const teardown = () => new Promise(() => {})`
    const queue = make({ maxWorkers: 2, closeDeadlineMs: 100 }, moduleOf(text))
    await withAllWorkers(queue, { bounded: 2 })
    const begun = word()
    const works = [
      queue.run('spin', [begun], { key: 'k' }),
      queue.run('nothing', [], { key: 'k' }),
    ].map(failureOf)
    await marked(begun)
    const { stuck } = await queue.close()
    assert.deepEqual(new Set(stuck.map(({ work }) => work)), new Set(['spin', null]))
    await Promise.all(works)
    await until('no worker is left', () => queue.workers().length === 0)
  })

  test('works that close has to end are cancelled works: nobody needs to look at them', async () => {
    const queue = make({ maxWorkers: 1, closeDeadlineMs: 50 })
    const begun = word()
    const works = [queue.enqueue('spin', [begun]), queue.enqueue('nothing')]
    await marked(begun)
    await queue.close()
    assert.deepEqual(
      works.map(({ state }) => state),
      ['canceled', 'canceled'],
    )
    await sleep(5)
  })
}
