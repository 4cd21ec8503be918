import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type Work } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf, moduleOf, word, type Coded } from './contract/support.fixture.js'
import { make, reaches, untilSync, upTo, type Queue } from './gated-queue.fixture.js'

checkForLeaks()

/** How a work ended; it must do so once. */
interface End {
  times: number
  how: string
}

function endOf(work: Work): End {
  const end = { times: 0, how: '' }
  const ended = (how: string): void => {
    end.times++
    end.how = how
  }
  work.result.then(
    () => ended('done'),
    (error: Coded) => ended(error.code ?? error.message),
  )
  return end
}

/** Submits works of every kind, cancels some of them, and lets threads die meanwhile. */
async function load(
  queue: Queue,
  ran: Int32Array,
): Promise<{ works: Work[]; ends: End[]; canceled: Set<Work> }> {
  const works: Work[] = []
  const ends: End[] = []
  const canceled = new Set<Work>()
  for (const mark of upTo(ran.length)) {
    const options = {
      unbounded: mark % 5 === 0,
      priority: (['high', 'normal', 'low'] as const)[mark % 3] ?? 'normal',
      ...(mark % 4 === 0 ? { key: mark % 28 } : {}),
    }
    const added =
      mark % 90 === 47
        ? queue.enqueue('countAndExit', [ran, mark], options)
        : queue.enqueue('count', [ran, mark], options)
    works.push(added)
    ends.push(endOf(added))
    const work = works[(mark * 31) % works.length]
    if (mark % 3 === 0 && work?.cancel() === 'canceled') canceled.add(work)
    if (mark % 40 === 0) await new Promise((resolve) => setTimeout(resolve, mark % 3))
  }
  return { works, ends, canceled }
}

/** Stops at the first gate before it is ready, and at the second in its second work. */
const stopping = moduleOf(`
  let at, gates
  const pass = (gate) => {
    Atomics.add(at, 0, 1)
    Atomics.wait(gates, gate, 0)
  }
  export function setup(data) {
    at = data.at
    gates = data.gates
    pass(0)
  }
  export const first = () => {}
  export const second = () => pass(1)`)

function open(gates: Int32Array, gate: number): void {
  Atomics.store(gates, gate, 1)
  Atomics.notify(gates, gate)
}

describe('each work', () => {
  test('INV-IOWQ-4: runs at most once, settles once, among cancels and dying threads', async () => {
    await using queue = make({ maxWorkers: { bounded: 2, unbounded: 2 } })
    const ran = word(3000)
    const { works, ends, canceled } = await load(queue, ran)
    await Promise.allSettled(works.map(({ result }) => result))
    // Whatever would come late has come by then.
    await queue.run('nothing')
    await queue.run('nothing', [], { unbounded: true })
    const died = new Set(['ERR_WORKER_EXITED', 'ERR_WORKER_DIED'])
    for (const [mark, { times, how }] of ends.entries()) {
      const [count, work] = [ran[mark] as number, works[mark] as Work]
      assert.equal(times, 1, `${mark}: ${how}`)
      assert.equal(how === 'ECANCELED', canceled.has(work), `${mark}: ${how}`)
      if (how === 'done' || mark % 90 === 47) assert.equal(count, how === 'ECANCELED' ? 0 : 1)
      else if (how === 'ECANCELED') assert.equal(count, 0)
      else assert.ok(died.has(how) && count <= 1, `${mark}: ${how}, ${count}`)
    }
    const { submitted, done, failed, canceled: count, unsettled } = queue.stats()
    assert.deepEqual([submitted, done + failed + count, unsettled], [3002, 3002, 0])
    assert.equal(count, canceled.size)
  })

  test('INV-IOWQ-4: settles also when its thread ends before its owner heard it was ready', async () => {
    // This thread is held most of the time, so that it hears of both at once.
    const busy = setInterval(() => Atomics.wait(word(), 0, 0, 40), 1)
    try {
      for (let round = 0; round < 6; round++) {
        await using queue = make({ maxWorkers: 1 })
        const exits = [1, 2].map(() => failureOf(queue.run('exit', [3])))
        const last = queue.run('count', [word()])
        for (const { code } of await Promise.all(exits)) assert.equal(code, 'ERR_WORKER_EXITED')
        assert.equal(await last, 1)
      }
    } finally {
      clearInterval(busy)
    }
  })

  test('settles also when it ends before its owner hears that its worker is ready', async () => {
    const [at, gates] = [word(), word(2)]
    await using queue = new WorkQueue(stopping, { maxWorkers: 1, data: { at, gates } })
    const ready = queue.ready()
    await reaches(at, 1)
    try {
      // Before the queue's own look, which the works ask for. It hears no message in between, and no
      // worker is to tell it of an end before it has looked.
      setImmediate(() => {
        open(gates, 0)
        // In the second work, the thread is done with the first one, and will not speak of it again.
        untilSync(() => Atomics.load(at, 0) === 2)
      })
      const first = queue.enqueue('first')
      const second = queue.enqueue('second')
      await until('the first work is settled', () => first.state === 'done')
      assert.equal(second.state, 'running')
    } finally {
      open(gates, 1)
    }
    await ready
    await queue.run('first')
  })

  test('INV-IOWQ-4: runs once beside one whose thread is ended by force', async () => {
    await using queue = make({ maxWorkers: { bounded: 2 } })
    const ran = word(200)
    for (let round = 0; round < 8; round++) {
      const begun = word()
      const stuck = queue.enqueue('spin', [begun], { killAfterMs: 0 })
      const works = upTo(25).map((mark) =>
        queue.enqueue('count', [ran, 25 * round + mark], mark % 2 === 0 ? { key: 'k' } : {}),
      )
      await reaches(begun, 1)
      assert.equal(stuck.cancel(), 'running')
      await Promise.all(works.map(({ result }) => result))
      await stuck.result.catch(() => {})
      assert.equal(stuck.state, 'canceled')
    }
    assert.ok(ran.every((count) => count === 1))
  })
})

describe('a queue that closes', () => {
  test('INV-IOWQ-11: has fewer and fewer workers, whatever works wait and block', async () => {
    const queue = make({ maxWorkers: { bounded: 4, unbounded: 4 }, closeDeadlineMs: 30_000 })
    const [begun, gate, ran] = [word(), word(), word()]
    void queue.run('blocked', [begun, gate])
    await reaches(begun, 1)
    for (const mark of upTo(300)) void queue.run('count', [ran], { key: mark % 9 })
    const closing = queue.close()
    let count = queue.workers().length
    let isClosed = false
    void closing.then(() => (isClosed = true))
    const look = (): void => {
      const now = queue.workers().length
      assert.ok(now <= count, `${now} workers, and there were ${count}`)
      count = now
    }
    // The one worker blocks: were the queue open, another one would come.
    for (const pause of upTo(20)) {
      look()
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await until('it is closed', () => {
      look()
      return isClosed
    })
    assert.deepEqual([count, ran[0]], [0, 300])
  })

  test('INV-IOWQ-12: has nothing left when it is closed, and calls nobody back', async () => {
    const queue = make({ maxWorkers: { bounded: 2, unbounded: 2 }, closeDeadlineMs: 200 })
    const [begun, ran, beats] = [word(), word(), word()]
    let isClosed = false
    let late = 0
    const works: Work[] = [queue.enqueue('spin', [begun])]
    works.push(queue.enqueue('untilAborted', [begun], { unbounded: true }))
    await reaches(begun, 1)
    await queue.run('beat', [beats], { unbounded: true })
    const onProgress = (): void => void (isClosed && late++)
    for (const mark of upTo(200)) {
      works.push(queue.enqueue('count', [ran], { onProgress, unbounded: mark % 2 === 0 }))
    }
    for (const { result } of works) void result.catch(() => isClosed && late++)
    await queue.close()
    const states = new Set(works.map(({ state }) => state))
    assert.deepEqual([queue.workers(), queue.stats().unsettled], [[], 0])
    assert.ok(!states.has('pending') && !states.has('running'))
    await new Promise((resolve) => setImmediate(resolve))
    isClosed = true
    const after = [ran[0], beats[0]]
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.deepEqual([ran[0], beats[0], late], [...after, 0])
  })
})
