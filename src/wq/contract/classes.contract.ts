import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Make, word, meeting, withAllWorkers, test } from './support.fixture.js'

/** What the contract says about classes and maxima. */
export function classesContract(make: Make): void {
  test('INV-IOWQ-1: never more workers than the maximum, and as many as it allows', async () => {
    await using queue = make({ maxWorkers: 3 })
    await withAllWorkers(queue, { bounded: 3 })
    const { now, most, order } = meeting(0)
    let workers = 0
    const works = Array.from({ length: 30 }, (_, mark) =>
      queue.run('meet', [{ now, most, order }, mark, 30]).then(() => {
        workers = Math.max(workers, queue.workers().length)
      }),
    )
    await Promise.all(works)
    assert.equal(workers, 3)
    assert.equal(most[0], 3)
  })

  test('INV-IOWQ-16: blocked unbounded works do not keep bounded ones from running, nor the reverse', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 } })
    const gates = [word(), word()]
    for (const [gate, unbounded] of [
      [gates[0], true],
      [gates[1], false],
    ] as const) {
      const blocked = Array.from({ length: 3 }, () =>
        queue.run('waitFor', [gate as Int32Array], { unbounded }),
      )
      const others = [1, 2, 3].map((each) =>
        queue.run('add', [each, each], { unbounded: !unbounded }),
      )
      assert.deepEqual(await Promise.all(others), [2, 4, 6])
      Atomics.store(gate as Int32Array, 0, 1)
      await Promise.all(blocked)
    }
  })

  test('no worker is made before a work needs it, and one serves works that come singly', async () => {
    await using queue = make({ maxWorkers: 8 })
    assert.equal(queue.workers().length, 0)
    for (let round = 0; round < 20; round++) await queue.run('add', [1, 1])
    assert.equal(queue.workers().length, 1)
  })

  test('workers are listed with name, thread, class, state and work', async () => {
    await using queue = make({ name: 'a-long-queue-name', maxWorkers: 1 })
    const gate = word()
    await queue.run('nothing')
    const work = queue.enqueue('waitFor', [gate], { key: 'k' })
    while (work.state !== 'running') await sleep(1)
    const [worker] = queue.workers()
    assert.ok(worker !== undefined)
    assert.equal(worker.name, 'a-long-que-1', 'the number stays visible in ps')
    assert.deepEqual(
      [worker.class, worker.state, worker.work],
      ['bounded', 'busy', { id: work.id, name: 'waitFor', key: 'k' }],
    )
    assert.ok(Number(worker.osThreadId) > 0 && Number(worker.cpuMs) > 0)
    Atomics.store(gate, 0, 1)
    await work.result
    assert.equal(queue.workers()[0]?.work, null)
  })
}
