import assert from 'node:assert/strict'
import { UserWorkerError, type WorkQueue } from '../../index.js'
import { type Make, word, failureOf, moduleOf, type Coded, test } from './support.fixture.js'

/** What the contract says about dying threads. */
export function deathContract(make: Make): void {
  const ends: [string, (queue: ReturnType<Make>) => Promise<unknown>, string][] = [
    ['process.exit(7)', (queue) => queue.run('exit', [7]), 'ERR_WORKER_EXITED'],
    ['process.exit(0)', (queue) => queue.run('exit', [0]), 'ERR_WORKER_EXITED'],
    ['a throw in a timer', (queue) => queue.run('throwInTimer', ['t']), 'ERR_WORKER_DIED'],
    ['an unhandled rejection', (queue) => queue.run('rejectUnhandled', ['t']), 'ERR_WORKER_DIED'],
    ['a full heap', (queue) => queue.run('fillHeap'), 'ERR_WORKER_OUT_OF_MEMORY'],
  ]
  for (const [way, act, code] of ends) {
    test(`${way} rejects the work with ${code}, and the next one runs`, async () => {
      await using queue = make({ maxWorkers: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } })
      const works = [act(queue), queue.run('add', [1, 2]), queue.run('add', [3, 4], { key: 'k' })]
      const error = await failureOf(works[0] as Promise<unknown>)
      assert.ok(error instanceof UserWorkerError)
      assert.equal(error.code, code)
      if (code === 'ERR_WORKER_EXITED')
        assert.match(error.message, new RegExp(`process\\.exit\\(${error.exitCode}\\)`))
      else assert.ok(error.cause instanceof Error)
      assert.deepEqual(await Promise.all(works.slice(1)), [3, 7])
    })
  }

  test('a dying thread settles the works it had, each once, and no other', async () => {
    await using queue = make({ maxWorkers: 2 })
    const counter = word()
    const works = Array.from({ length: 60 }, (_, index) =>
      index % 10 === 5 ? queue.run('exit', [index]) : queue.run('count', [counter]),
    )
    const ended = await Promise.allSettled(works)
    for (const [index, end] of ended.entries())
      assert.equal(end.status, index % 10 === 5 ? 'rejected' : 'fulfilled')
    assert.equal(counter[0], 54)
  })

  test('a thread that dies between becoming ready and its first work keeps no work from settling', async () => {
    const text = `export const setup = () => void setTimeout(() => process.exit(3), 2)
      export const add = (a, b) => a + b`
    for (let round = 0; round < 8; round++) {
      await using queue = make({ maxWorkers: 1 }, moduleOf(text))
      const work = queue.run('add', [1, 2]).catch((error: Coded) => error.code)
      // Now and then this thread hears of "ready" and of the end in one turn.
      const until = Date.now() + (round % 2) * 60
      while (Date.now() < until);
      assert.ok([3, 'ERR_WORKER_EXITED'].includes((await work) as never))
    }
  })

  test('a work that was sent to a thread which was ending runs on another', async () => {
    const text = `export const last = () => { setImmediate(() => process.exit(3)); return 'last' }
      export const next = (value) => value`
    for (let round = 0; round < 10; round++) {
      await using queue = make({ maxWorkers: 1 }, moduleOf(text))
      const loose = queue as unknown as WorkQueue
      const works = [
        loose.run('last'),
        loose.run('next', ['next']),
        loose.run('next', [{ a: 1 }], { key: 'k' }),
      ]
      assert.deepEqual(await Promise.all(works), ['last', 'next', { a: 1 }])
    }
  })

  test('a worker that dies while it has no work does not do so silently', async () => {
    const warned = new Promise<Error>((resolve) => {
      process.once('warning', resolve)
    })
    const text = `export const arm = () => void setTimeout(() => { throw new Error('idle death') }, 5)`
    await using queue = make({ maxWorkers: 1 }, moduleOf(text))
    await (queue as unknown as WorkQueue).run('arm')
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.match((await warned).message, /idle death/)
  })
}
