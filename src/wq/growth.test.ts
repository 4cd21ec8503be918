import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { word } from './contract/support.fixture.js'
import { aWhile, make, open, reaches, reasons, untilSync } from './gated-queue.fixture.js'

checkForLeaks()

const patient = { concurrent: false }

describe('a work that may wait for a running worker', () => {
  test('WQ-15: concurrent: false gets the first worker, and no other while one runs', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, gate, ran] = [word(), word(), word()]
    const first = queue.run('held', [begun, gate], patient)
    await reaches(begun, 1)
    const others = Array.from({ length: 5 }, () => queue.run('count', [ran], patient))
    await aWhile()
    assert.deepEqual([reasons(queue), ran[0]], [['first'], 0])
    open(gate)
    await Promise.all([first, ...others])
    assert.deepEqual([reasons(queue), ran[0]], [['first'], 5])
  })

  test('is patient also where it waits for room in the rings, and keeps no other waiting there [WQ-15]', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, ran] = [word(), word(), word()]
    const first = queue.run('held', [begun, gate], patient)
    await reaches(begun, 1)
    // More than there are slots for.
    const others = Array.from({ length: 12_000 }, () => queue.run('count', [ran], patient))
    await aWhile()
    assert.deepEqual([reasons(queue), ran[0]], [['first'], 0])
    const last = queue.run('count', [ran], { priority: 'high' })
    await reaches(ran, 1)
    assert.deepEqual(reasons(queue), ['first', 'backlog'])
    const behind = queue.run('count', [ran])
    open(gate)
    await Promise.all([first, last, behind, ...others])
    assert.equal(ran[0], 12_002)
  })

  test('WQ-17: works are concurrent by default: each of them runs beside the others', async () => {
    await using queue = make({ maxWorkers: 4 })
    const here = word()
    await Promise.all(Array.from({ length: 4 }, () => queue.run('rendezvous', [here, 4])))
    assert.equal(queue.workers().length, 4)
  })

  test('WQ-17: patient works, running or behind a key, keep no other from its worker', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, ran] = [word(), word(), word()]
    const chain = Array.from({ length: 6 }, () =>
      queue.run('held', [begun, gate], { ...patient, key: 'k' }),
    )
    await reaches(begun, 1)
    await queue.run('count', [ran])
    assert.deepEqual([reasons(queue), begun[0]], [['first', 'backlog'], 1])
    open(gate)
    await Promise.all(chain)
  })
})

describe('a work that blocks', () => {
  test('WQ-20: does not count as running: the next gets a worker, and why is told', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, gate] = [word(), word()]
    const blocked = queue.run('blocked', [begun, gate])
    await reaches(begun, 1)
    await queue.run('nothing', [], patient)
    assert.deepEqual(reasons(queue), ['first', 'blocked'])
    open(gate)
    await blocked
  })

  test('WQ-20, WQ-21, INV-IOWQ-2: counts as running before and after, also when it throws', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, ran] = [word(), word()]
    const gates = [word(), word(), word()] as const
    const works = [queue.run('runsBlocksRuns', [begun, gates])]
    await reaches(begun, 1)
    works.push(queue.run('blocked', [word(), gates[2]], patient))
    await aWhile()
    assert.deepEqual(reasons(queue), ['first'], 'it runs: nobody comes')
    open(gates[0])
    await until('it blocks, and so does the second', () => queue.workers().length === 2)
    await until('both have their work', () => queue.workers().every(({ works: n }) => n === 1))
    open(gates[1])
    await reaches(begun, 3)
    works.push(queue.run('count', [ran], patient) as Promise<never>)
    await aWhile()
    assert.deepEqual([reasons(queue), ran[0]], [['first', 'blocked'], 0], 'it runs again')
    open(gates[2])
    await Promise.all(works)
  })

  test('WQ-22: only the thread of the owner makes workers: while it is held none comes', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, ran] = [word(), word(), word()]
    await queue.run('nothing')
    const blocked = queue.run('blocked', [begun, gate])
    const next = queue.run('count', [ran], patient)
    // Synchronously: this thread does nothing else meanwhile.
    untilSync(() => Atomics.load(begun, 0) === 1)
    Atomics.wait(word(), 0, 0, 150)
    assert.deepEqual([begun[0], ran[0]], [1, 0])
    await next
    assert.deepEqual(reasons(queue), ['first', 'blocked'])
    open(gate)
    await blocked
  })

  test('WQ-23: a worker that is free takes the next work; none is made for it', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, gate, here] = [word(), word(), word()]
    await Promise.all([1, 2].map(() => queue.run('rendezvous', [here, 2])))
    const blocked = queue.run('blocked', [begun, gate])
    await reaches(begun, 1)
    for (let round = 0; round < 20; round++) await queue.run('nothing')
    assert.equal(queue.workers().length, 2)
    open(gate)
    await blocked
  })

  test('WQ-23: at the maximum the next work waits, however many block', async () => {
    await using queue = make({ maxWorkers: 2 })
    const [begun, gate, ran] = [word(), word(), word()]
    const blocked = [1, 2].map(() => queue.run('blocked', [begun, gate]))
    await reaches(begun, 2)
    const next = queue.enqueue('count', [ran])
    await aWhile()
    assert.deepEqual([queue.workers().length, next.state, ran[0]], [2, 'pending', 0])
    open(gate)
    await Promise.all([...blocked, next.result])
    assert.equal(queue.workers().length, 2)
  })

  test('WQ-24: brings no worker for works of its own key, and one for the next', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, gate, ran] = [word(), word(), word()]
    const blocked = queue.run('blocked', [begun, gate], { key: 'k' })
    await reaches(begun, 1)
    const behind = Array.from({ length: 5 }, () => queue.enqueue('count', [ran], { key: 'k' }))
    await aWhile()
    assert.deepEqual(reasons(queue), ['first'])
    await queue.run('nothing')
    assert.deepEqual([reasons(queue), ran[0]], [['first', 'blocked'], 0])
    open(gate)
    await Promise.all([blocked, ...behind.map(({ result }) => result)])
  })

  test('WQ-25: a worker that sleeps, or blocks while no work waits, brings none', async () => {
    await using queue = make({ maxWorkers: 4 })
    const [begun, gate] = [word(), word()]
    await queue.run('nothing')
    await aWhile()
    assert.deepEqual(reasons(queue), ['first'])
    const blocked = queue.run('blocked', [begun, gate])
    await reaches(begun, 1)
    await aWhile()
    assert.deepEqual(reasons(queue), ['first'])
    open(gate)
    await blocked
  })

  test('WQ-20: brings no worker for the works that await beside it on its thread', async () => {
    await using queue = make({ maxWorkers: { unbounded: 4 } })
    const [begun, gate] = [word(), word()]
    const unbounded = { unbounded: true }
    await queue.run('nothing', [], unbounded)
    const awaited = [1, 2, 3].map(() => queue.run('awaited', [begun, gate], unbounded))
    await reaches(begun, 3)
    const blocked = queue.run('blocked', [begun, gate], unbounded)
    await reaches(begun, 4)
    await aWhile()
    assert.deepEqual(reasons(queue), ['first'])
    await queue.run('nothing', [], unbounded)
    assert.deepEqual(reasons(queue), ['first', 'blocked'])
    open(gate)
    await Promise.all([...awaited, blocked])
  })

  test('INV-IOWQ-3: when all workers block works go on, up to the maximum', async () => {
    await using queue = make({ maxWorkers: 6 })
    const [begun, gate] = [word(), word()]
    const blocked: Promise<void>[] = []
    for (let count = 1; count < 6; count++) {
      blocked.push(queue.run('blocked', [begun, gate], count % 2 === 0 ? patient : {}))
      await reaches(begun, count)
      await queue.run('nothing', [], patient)
      assert.equal(queue.workers().length, count + 1)
    }
    open(gate)
    await Promise.all(blocked)
  })

  test('INV-IOWQ-3: works behind workers that block without a word get workers too', async () => {
    await using queue = make({ maxWorkers: 3 })
    const [begun, gate] = [word(), word()]
    const held = [queue.run('held', [begun, gate])]
    await reaches(begun, 1)
    held.push(queue.run('held', [begun, gate]))
    await reaches(begun, 2)
    await queue.run('nothing')
    assert.equal(queue.workers().length, 3)
    open(gate)
    await Promise.all(held)
  })
})
