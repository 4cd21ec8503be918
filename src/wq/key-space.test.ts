import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeySpace, WorkQueue } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { meeting, word } from './contract/support.fixture.js'
import type * as Handlers from './handlers.fixture.js'

checkForLeaks()

const handlers = new URL('./handlers.fixture.js', import.meta.url)

const make = (keySpace: KeySpace): WorkQueue<typeof Handlers> =>
  new WorkQueue<typeof Handlers>(handlers, { keySpace, maxWorkers: 2 })

describe('a key space', () => {
  test('WQ-37, BUG-IOWQ-1: works of one key in two queues never overlap, and run in order of submission', async () => {
    const keySpace = new KeySpace()
    const queues = [make(keySpace), make(keySpace)] as const
    const { now, most, order } = meeting(60)
    const works = Array.from({ length: 60 }, (_, mark) =>
      queues[mark % 3 === 0 ? 0 : 1].run(
        'meet',
        [{ now, most, order }, mark, mark % 7 === 0 ? 2 : 0],
        {
          key: 'file',
        },
      ),
    )
    await Promise.all(works)
    assert.equal(most[0], 1)
    assert.deepEqual(
      Array.from(order.slice(1)),
      Array.from({ length: 60 }, (_, mark) => mark),
    )
    await Promise.all(queues.map((queue) => queue.close()))
  })

  test('closing one of its queues, or cancelling there, leaves the works of the others', async () => {
    const keySpace = new KeySpace()
    const [first, second] = [make(keySpace), make(keySpace)]
    const gate = word()
    const running = first.enqueue('waitFor', [gate], { key: 'k' })
    await until('it runs', () => running.state === 'running')
    const held = second.enqueue('add', [1, 2], { key: 'k' })
    const behind = first.enqueue('add', [3, 4], { key: 'k' })
    assert.equal(first.cancel(() => true, { all: true }).canceled, 1)
    assert.deepEqual([behind.state, held.state], ['canceled', 'pending'])
    const closed = first.close()
    Atomics.store(gate, 0, 1)
    await closed
    assert.equal(await running.result, 1)
    assert.equal(await held.result, 3)
    await second.close()
  })

  test('queues without one do not know of each other', async () => {
    const [first, second] = [
      new WorkQueue<typeof Handlers>(handlers),
      new WorkQueue<typeof Handlers>(handlers),
    ]
    const gate = word()
    const running = first.run('waitFor', [gate], { key: 'k' })
    assert.equal(await second.run('add', [1, 2], { key: 'k' }), 3)
    Atomics.store(gate, 0, 1)
    await running
    await Promise.all([first.close(), second.close()])
    assert.throws(() => new WorkQueue(handlers, { keySpace: {} as never }), /new KeySpace/)
  })
})
