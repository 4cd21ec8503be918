import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf, word } from './contract/support.fixture.js'

checkForLeaks()

interface Items {
  /** Notes when it ran, after a while; gives the thread it ran in. */
  item(seen: Int32Array, mark: number, ms: number): Promise<string>
  /** Runs until the word is not 0. */
  hold(gate: Int32Array): void
}

const items = moduleOf(`
  import { readlinkSync } from 'node:fs'
  export async function item(seen, mark, ms) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    Atomics.store(seen, Atomics.add(seen, 0, 1) + 1, mark)
    return readlinkSync('/proc/thread-self')
  }
  export const hold = (gate) => void Atomics.wait(gate, 0, 0)`)

const queues: WorkQueue<Items>[] = []

/** The kernel's kthread worker: one thread and its items. */
function kthreadWorker(): WorkQueue<Items> {
  const queue = new WorkQueue<Items>(items, { name: 'kworker', maxWorkers: { bounded: 1 } })
  queues.push(queue)
  return queue
}

const order = (seen: Int32Array): number[] => [...seen.subarray(1, (seen[0] ?? 0) + 1)]

describe('a queue of one bounded worker is a kthread worker', () => {
  after(() => Promise.all(queues.map((queue) => queue.close())))

  test('KT-28: its items run one after the other in one thread, in the order they were queued', async () => {
    const [queue, seen] = [kthreadWorker(), word(41)]
    const marks = Array.from({ length: 40 }, (_, index) => index + 1)
    const works = marks.map((mark) => queue.run('item', [seen, mark, mark % 3]))
    assert.equal(new Set(await Promise.all(works)).size, 1)
    assert.deepEqual(order(seen), marks)
  })

  test('KT-28: to await an item is to flush it and what was queued before it, and nothing behind it', async () => {
    const [queue, seen] = [kthreadWorker(), word(4)]
    const works = [1, 2, 3].map((mark) => queue.enqueue('item', [seen, mark, 30]))
    await works[1]?.result
    assert.deepEqual(order(seen), [1, 2])
    assert.deepEqual(
      works.map((work) => work.state),
      ['done', 'done', 'running'],
    )
    await works[2]?.result
  })

  test('KT-28: to close it is to flush everything and then stop: no item is lost, and none comes after', async () => {
    const [queue, seen] = [kthreadWorker(), word(21)]
    const marks = Array.from({ length: 20 }, (_, index) => index + 1)
    const works = marks.map((mark) => queue.enqueue('item', [seen, mark, 1]))
    assert.deepEqual(await queue.close(), { stuck: [] })
    assert.deepEqual(order(seen), marks)
    assert.ok(works.every((work) => work.state === 'done'))
    assert.equal((await failureOf(queue.run('item', [seen, 21, 0]))).code, 'ECANCELED')
    assert.deepEqual(queue.workers(), [])
  })

  test('KT-28: a stop that drains nothing is a cancel of what is queued, and a close', async () => {
    const [queue, seen, gate] = [kthreadWorker(), word(21), word()]
    const first = queue.enqueue('hold', [gate])
    const works = Array.from({ length: 19 }, (_, mark) => queue.enqueue('item', [seen, mark, 0]))
    for (const work of works) work.result.catch(() => {})
    await until('the first one runs', () => first.state === 'running')
    const { canceled, running } = queue.cancel(() => true, { all: true })
    assert.deepEqual([canceled, running], [19, 1])
    const closed = queue.close()
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await closed
    assert.deepEqual([first.state, order(seen)], ['done', []])
  })

  test('KT-28: a queued item that is cancelled never runs, and the others do', async () => {
    const [queue, seen] = [kthreadWorker(), word(4)]
    const works = [1, 2, 3].map((mark) => queue.enqueue('item', [seen, mark, 20]))
    assert.equal(works[1]?.cancel(), 'canceled')
    assert.equal((await failureOf(works[1]?.result ?? Promise.resolve())).code, 'ECANCELED')
    await works[2]?.result
    assert.deepEqual(order(seen), [1, 3])
    assert.equal(works[1]?.cancel(), 'not-found', 'once it is out it cannot be cancelled again')
  })

  test('KT-28: an item is a handle of its own, in one queue, so it cannot be queued twice', async () => {
    const [queue, other, seen] = [kthreadWorker(), kthreadWorker(), word(4)]
    const works = [queue, queue, other].map((each) => each.enqueue('item', [seen, 1, 5]))
    assert.equal(new Set(works).size, 3)
    assert.deepEqual(
      works.map((work) => work.id),
      [1, 2, 1],
    )
    const threads = await Promise.all(works.map((work) => work.result))
    assert.equal(threads[0], threads[1])
    assert.notEqual(threads[0], threads[2], 'each queue has a thread of its own')
    assert.equal(seen[0], 3, 'each ran once')
  })

  test('KT-28: a delayed item is a timer of its caller, and is taken back by clearing that', async () => {
    const [queue, seen] = [kthreadWorker(), word(4)]
    await queue.run('item', [seen, 1, 0])
    clearTimeout(setTimeout(() => void queue.run('item', [seen, 3, 0]), 10))
    const late = new Promise((resolve) => {
      setTimeout(() => resolve(queue.run('item', [seen, 2, 0])), 30)
    })
    assert.deepEqual(order(seen), [1])
    await late
    assert.deepEqual(order(seen), [1, 2])
  })
})
