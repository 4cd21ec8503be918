import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { cpuSet, parallelism } from '../os/limits.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { failureOf, meeting, withAllWorkers, word } from './contract/support.fixture.js'
import { aWhile, make, open, reaches, upTo, type Queue } from './gated-queue.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
const gates = JSON.stringify(new URL('./gates.fixture.js', import.meta.url).href)
const wrongNumbers: readonly unknown[] = [0, -1, 1.5, 1025, NaN, Infinity, null, '2', 2n]

describe('the greatest numbers of workers', () => {
  test('WQ-1, WQ-2: are by default the CPUs, and four times the CPUs but at least 8', async () => {
    await using queue = make()
    const cpus = parallelism()
    const expected = { bounded: cpus, unbounded: Math.max(8, 4 * cpus) }
    assert.deepEqual(queue.setMaxWorkers({}), expected)
    const program = `
      const { WorkQueue } = await import(${index})
      console.log(JSON.stringify(new WorkQueue(null).setMaxWorkers({})))`
    const { out, err } = await runProgram(program, {}, ['taskset', '-c', String(cpuSet()?.[0])])
    assert.deepEqual(JSON.parse(out), { bounded: 1, unbounded: 8 }, err)
  })

  test('WQ-1, WQ-2: each class has its own; anything but 1 to 1,024 is EINVAL', async () => {
    for (const wrong of wrongNumbers) {
      const given = [wrong, { bounded: wrong }, { unbounded: wrong }]
      for (const maxWorkers of given) {
        const text = String(wrong)
        assert.throws(() => make({ maxWorkers: maxWorkers as number }), { code: 'EINVAL' }, text)
      }
    }
    await using queue = make({ maxWorkers: { unbounded: 3 } })
    assert.deepEqual(queue.setMaxWorkers({}), { bounded: parallelism(), unbounded: 3 })
    await using other = make({ maxWorkers: 1024 })
    assert.equal(other.setMaxWorkers({}).bounded, 1024)
  })

  test('WQ-3: setMaxWorkers gives the numbers before, and keeps what is left out', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 3 } })
    assert.deepEqual(queue.setMaxWorkers({ bounded: 5 }), { bounded: 2, unbounded: 3 })
    assert.deepEqual(queue.setMaxWorkers({ unbounded: 7 }), { bounded: 5, unbounded: 3 })
    assert.deepEqual(queue.setMaxWorkers({ bounded: 1, unbounded: 1024 }), {
      bounded: 5,
      unbounded: 7,
    })
    assert.deepEqual(queue.setMaxWorkers({}), { bounded: 1, unbounded: 1024 })
  })

  test('WQ-3: setMaxWorkers refuses wrong numbers with EINVAL and changes nothing', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 3 } })
    const loose = queue as unknown as { setMaxWorkers(...args: unknown[]): unknown }
    for (const wrong of wrongNumbers) {
      assert.throws(() => loose.setMaxWorkers({ bounded: wrong }), { code: 'EINVAL' })
      assert.throws(() => loose.setMaxWorkers({ bounded: 4, unbounded: wrong }), { code: 'EINVAL' })
    }
    for (const args of [[], [null], [4], [[4, 4]], [{ bound: 4 }]]) {
      assert.throws(() => loose.setMaxWorkers(...args), { code: 'EINVAL' })
    }
    assert.deepEqual(queue.setMaxWorkers({}), { bounded: 2, unbounded: 3 })
  })

  test('WQ-4: are known before there is a worker, and hold for the first ones', async () => {
    await using queue = make({ maxWorkers: 8 })
    assert.deepEqual(queue.workers(), [])
    assert.equal(queue.setMaxWorkers({ bounded: 2 }).bounded, 8)
    const { now, most, order } = meeting(0)
    await Promise.all(upTo(8).map((mark) => queue.run('meet', [{ now, most, order }, mark, 20])))
    assert.deepEqual([most[0], queue.workers().length], [2, 2])
  })

  test('WQ-5: are those of the queue, by whichever way works come', async () => {
    await using queue = make({ maxWorkers: 1 })
    await using other = make({ maxWorkers: 1 })
    const { now, most, order } = meeting(0)
    const theirs = meeting(0)
    const inputs = upTo(4).map((mark) => [{ now, most, order }, mark, 5] as const)
    const mapped = (async () => {
      for await (const nothing of queue.map('meet', inputs as never))
        assert.equal(nothing, undefined)
    })()
    const works = upTo(4).flatMap((mark) => [
      queue.run('meet', [{ now, most, order }, mark, 5]),
      queue.enqueue('meet', [{ now, most, order }, mark, 5], { key: mark }).result,
      other.run('meet', [theirs, mark, 5]),
    ])
    await Promise.all([mapped, ...works])
    assert.deepEqual([most[0], queue.workers().length], [1, 1])
    assert.deepEqual([theirs.most[0], other.workers().length], [1, 1])
  })

  test('WQ-6: lowering them ends no worker that runs; the surplus leaves when idle', async () => {
    await using queue = make({ maxWorkers: 4, idleTimeoutMs: 60 })
    const [begun, gate] = [word(), word()]
    const held = upTo(4).map(() => queue.run('held', [begun, gate]))
    await reaches(begun, 4)
    queue.setMaxWorkers({ bounded: 2 })
    const next = queue.enqueue('count', [begun])
    await aWhile()
    assert.deepEqual([queue.workers().length, next.state], [4, 'pending'], 'all four are busy')
    open(gate)
    await Promise.all([...held, next.result])
    await until('the surplus has left', () => queue.workers().length <= 2)
    assert.equal(await queue.run('count', [begun]), 6)
  })

  test('WQ-6: lowering them below minWorkers lets those leave too', async () => {
    await using queue = make({ maxWorkers: 3, minWorkers: 3, idleTimeoutMs: 40 })
    await queue.ready()
    assert.equal(queue.workers().length, 3)
    queue.setMaxWorkers({ bounded: 1 })
    await until('two have left', () => queue.workers().length === 1)
    await queue.run('nothing')
    assert.equal(queue.workers().length, 1)
    queue.setMaxWorkers({ bounded: 3 })
    await until('they are back', () => queue.workers().length === 3)
  })

  test('WQ-7: a work beyond them waits, which is no error, and runs when it may', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 }, concurrency: one })
    for (const unbounded of [false, true]) {
      const [begun, gate, ran] = [word(), word(), word()]
      const held = queue.run('awaited', [begun, gate], { unbounded })
      await reaches(begun, 1)
      const next = queue.enqueue('count', [ran], { unbounded })
      await aWhile()
      assert.equal(next.state, 'pending')
      queue.setMaxWorkers(unbounded ? { unbounded: 2 } : { bounded: 2 })
      assert.equal(await next.result, 1, 'raising them lets it run')
      open(gate)
      await held
    }
  })

  test('INV-IOWQ-1: hold at every instant, while they change and workers come and go', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 1 }, idleTimeoutMs: 20 })
    const seen = meeting(0)
    const check = watchOf(queue)
    const works: Promise<unknown>[] = []
    for (let round = 0; round < 60; round++) {
      check.to(1 + ((round * 7) % 5))
      for (const mark of upTo(6)) {
        const options = { unbounded: mark % 3 === 0, ...(mark % 4 === 1 ? { key: mark } : {}) }
        works.push(queue.run('meet', [seen, mark, mark % 3], options).then(check))
      }
      if (round % 4 === 3) works.push(failureOf(queue.run('exit', [3])).then(check))
      if (round % 15 === 14) await Promise.allSettled(works)
      await new Promise((resolve) => setTimeout(resolve, round % 5 === 0 ? 30 : 3))
      check()
    }
    await Promise.allSettled(works)
    check()
    assert.ok(check.count > 300)
  })
})

const one = { bounded: 1, unbounded: 1 }

interface Watch {
  (): void
  /** Changes both maxima. */
  to(max: number): void
  count: number
}

/**
 * A check that a class never has more workers than its maximum; where that was lowered, that it has
 * no more than before.
 */
function watchOf(queue: Queue): Watch {
  let max = 1
  const allowed = { bounded: 1, unbounded: 1 }
  const check = (): void => {
    check.count++
    for (const kind of ['bounded', 'unbounded'] as const) {
      const count = queue.workers().filter((worker) => worker.class === kind).length
      assert.ok(count <= allowed[kind], `${count} ${kind} workers, where ${allowed[kind]} may be`)
      allowed[kind] = Math.max(max, count)
      assert.equal(queue.stats().workers[kind], count)
    }
  }
  check.count = 0
  check.to = (next: number): void => {
    check()
    max = next
    queue.setMaxWorkers({ bounded: max, unbounded: max })
    for (const kind of ['bounded', 'unbounded'] as const) {
      allowed[kind] = Math.max(max, queue.stats().workers[kind])
    }
    check()
  }
  return check
}

describe('the CPUs of the workers', () => {
  const own = cpuSet() ?? []
  const [first = 0] = own

  test("WQ-8: are the owner's by default, or the ones named, in both classes", async () => {
    const list = async (queue: Queue): Promise<string[]> => {
      await withAllWorkers(queue, { bounded: 2, unbounded: 1 })
      return await queue.broadcast('ownCpus')
    }
    for (const cpus of [[first], [first, 4000]]) {
      await using queue = make({ maxWorkers: 2, cpus })
      assert.deepEqual(
        await list(queue),
        upTo(3).map(() => `${first}`),
      )
    }
    const program = `
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue(${gates})
      console.log(await queue.run('ownCpus'))`
    const { out, err } = await runProgram(program, {}, ['taskset', '-c', String(first)])
    assert.equal(out, `${first}\n`, err)
    await using wide = make({ maxWorkers: 2 })
    const all = (await list(wide)).map((text) => text.split(/[,-]/)[0])
    assert.deepEqual(
      all,
      upTo(3).map(() => `${first}`),
    )
  })

  test('WQ-8: none that the owner may use, or none at all, is EINVAL', async () => {
    for (const cpus of [[], [-1], [0.5], 'some', 3]) {
      assert.throws(() => make({ cpus: cpus as number[] }), { code: 'EINVAL' })
    }
    await using queue = make({ cpus: [4000] })
    assert.equal((await failureOf(queue.run('nothing'))).code, 'EINVAL')
    assert.deepEqual(queue.workers(), [])
  })
})

test('WQ-10: no work without a queue: a method taken from its queue throws', async () => {
  await using queue = make()
  const torn = WorkQueue.prototype as unknown as {
    enqueue: (this: object, name: string) => unknown
  }
  assert.throws(() => torn.enqueue.call({}, 'nothing'), TypeError)
  assert.equal(queue.stats().submitted, 0)
})
