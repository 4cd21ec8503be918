import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram, stranger, untilGone } from '../worker/program.fixture.js'
import { current } from './current.js'
import { failureOf, marked, moduleOf, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)

/** A program of a user who may have so many threads more than the program has. */
const limited = (body: string): Promise<{ out: string; err: string }> =>
  runProgram(
    `import { execFileSync } from 'node:child_process'
     import { readdirSync } from 'node:fs'
     const { WorkQueue } = await import(${index})
     const make = (options) => new WorkQueue(new URL('${handlers.href}'), options)
     const word = () => new Int32Array(new SharedArrayBuffer(4))
     const code = (promise) => promise.then(() => 'done', (error) => error.code)
     const warm = make({ maxWorkers: 1 })
     await warm.run('sleep', [1])
     await warm.close()
     ${untilGone}
     const used = readdirSync('/proc/self/task').length
     const limit = (more) => execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=' + (used + more) + ':'])
     ${body}`,
    stranger,
  )

const notRoot = process.getuid?.() === 0 ? false : 'needs root, to run a program as another user'

describe('a thread that the system refuses', { skip: notRoot }, () => {
  test('WQ-61, BUG-IOWQ-14: is asked for four times, within some 30 ms and not for ever', async () => {
    const { out, err } = await limited(`
      limit(0)
      const times = []
      for (let round = 0; round < 5; round++) {
        const queue = make({ maxWorkers: 1 })
        const begun = performance.now()
        console.log(await code(queue.run('nothing')))
        times.push(performance.now() - begun)
        await queue.close()
      }
      // The waits between the tries alone are 5, 10 and 15 ms.
      console.log(Math.min(...times) >= 29, Math.min(...times) < 2000)
      const cpu = process.cpuUsage()
      await new Promise((resolve) => setTimeout(resolve, 300))
      const { user, system } = process.cpuUsage(cpu)
      console.log(user + system < 200_000)`)
    assert.equal(out, 'EAGAIN\nEAGAIN\nEAGAIN\nEAGAIN\nEAGAIN\ntrue true\ntrue\n', err)
  })

  test('WQ-63, BUG-IOWQ-9: giving up undoes the counts, fails all of the class, and the next try is free', async () => {
    const { out, err } = await limited(`
      limit(1)
      const other = make({ maxWorkers: 1 })
      await other.run('nothing')
      const queue = make({ maxWorkers: { bounded: 4, unbounded: 4 } })
      const works = Array.from({ length: 40 }, (_, index) =>
        code(queue.run('nothing', [], { key: index % 3 ? index : 'k', unbounded: index % 2 === 0 })))
      const ends = new Set(await Promise.all(works))
      const { workers, unsettled } = queue.stats()
      console.log([...ends].join(), JSON.stringify(workers), unsettled)
      await other.close()
      ${untilGone}
      console.log(await code(queue.run('nothing')), queue.stats().workers.bounded)
      await queue.close()`)
    assert.equal(out, 'EAGAIN {"bounded":0,"unbounded":0} 0\ndone 1\n', err)
  })

  test('WQ-64, BUG-IOWQ-8: keeps nothing back: works wait for the workers there are', async () => {
    const { out, err } = await limited(`
      limit(2)
      const queue = make({ maxWorkers: 2 })
      const counter = word()
      const works = Array.from({ length: 60 }, (_, index) =>
        code(queue.run(index % 10 === 9 ? 'sleep' : 'count', [index % 10 === 9 ? 5 : counter])))
      console.log([...new Set(await Promise.all(works))].join(), counter[0], queue.workers().length <= 2)
      queue.setMaxWorkers({ bounded: 1 })
      console.log(await code(queue.run('nothing')))
      await queue.close()
      console.log(JSON.stringify(queue.stats().workers))`)
    assert.equal(out, 'done 54 true\ndone\n{"bounded":0,"unbounded":0}\n', err)
  })

  test('WQ-60: is not asked for again by a queue that closes', async () => {
    const { out, err } = await limited(`
      limit(0)
      const queue = make({ maxWorkers: 1 })
      const work = code(queue.run('nothing'))
      const begun = performance.now()
      await queue.close()
      console.log(await work, performance.now() - begun < 5000, queue.workers().length)`)
    assert.match(out, /^(ECANCELED|EAGAIN) true 0\n$/, err)
  })

  test('WQ-74: is refused by the count of the system: a worker is one thread of its user', async () => {
    const { out, err } = await limited(`
      const queue = make({ maxWorkers: { bounded: 2, unbounded: 2 } })
      await Promise.all([queue.run('nothing'), queue.run('nothing', [], { unbounded: true })])
      limit(2)
      const other = make({ maxWorkers: 1 })
      console.log(await code(other.run('nothing')))
      await queue.close()
      ${untilGone}
      console.log(await code(other.run('nothing')))
      await other.close()`)
    assert.equal(out, 'EAGAIN\ndone\n', err)
  })
})

describe('the making of a queue', () => {
  test('WQ-70: makes no thread and fails for no thread: a queue has no manager', async () => {
    const before = threadsOf().length
    const queues = Array.from({ length: 100 }, () => make({ name: 'wq70' }))
    assert.equal(threadsOf().length, before)
    await Promise.all(queues.map((queue) => queue.close()))
  })

  test('WQ-62: of its workers is for the owner alone: while the owner computes, none is made', async () => {
    await using queue = make({ name: 'wq62', maxWorkers: 4 })
    const begun = word()
    const works = [0, 1, 2, 3].map(() =>
      failureOf(queue.run('checkingCode', [begun], { timeoutMs: 1 })),
    )
    const end = performance.now() + 50
    while (performance.now() < end);
    assert.equal(queue.workers().filter(({ state }) => state !== 'booting').length, 0)
    for (const work of works) assert.equal((await work).code, 'ETIME')
  })
})

describe('the mark of a worker', () => {
  test('WQ-73: is there from its birth: its name, and its place in the list, before the module runs', async () => {
    const text = `import { readFileSync } from 'node:fs'
      const name = readFileSync('/proc/thread-self/comm', 'utf8').trim()
      export const born = () => name`
    await using queue = new WorkQueue(moduleOf(text), { name: 'wq73', maxWorkers: 1 })
    assert.equal(await queue.run('born'), 'uw:wq73-1')
    assert.deepEqual(
      queue.workers().map(({ name }) => name),
      ['wq73-1'],
    )
  })

  test('WQ-75: current() answers in a handler, and nowhere else', async () => {
    assert.throws(current, { code: 'ERR_NO_WORK' })
    const from = new URL('./current.js', import.meta.url).href
    const text = `import { current } from '${from}'
      let atLoad
      try { current() } catch (error) { atLoad = error.code }
      export const seen = async () => { await null; return [atLoad, current().name] }`
    await using queue = new WorkQueue(moduleOf(text), { maxWorkers: 1 })
    assert.deepEqual(await queue.run('seen'), ['ERR_NO_WORK', 'seen'])
  })

  test('WQ-78: each work is traced before a worker can have it', async (t) => {
    const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
    await using queue = make({ maxWorkers: 1 })
    await queue.run('nothing')
    const seen: unknown[] = []
    const listener = (message: unknown): void => {
      const { queue: of, work } = message as { queue: unknown; work: { id: number; state: string } }
      if (of === queue) seen.push([work.id, work.state])
    }
    subscribe('userworker:queue', listener)
    t.after(() => unsubscribe('userworker:queue', listener))
    const works = [
      queue.enqueue('nothing', [], { key: 'k' }),
      queue.enqueue('nothing', [], { unbounded: true }),
    ]
    assert.deepEqual(
      seen,
      works.map(({ id }) => [id, 'pending']),
    )
    await Promise.all(works.map(({ result }) => result))
  })
})

describe('the number of workers', () => {
  test('BUG-IOWQ-15, BUG-IOWQ-16: stays small for two works at a time, and for many of one key', async () => {
    await using queue = make({ maxWorkers: 16 })
    for (let round = 0; round < 300; round++) {
      await Promise.all([queue.run('nothing'), queue.run('nothing')])
    }
    assert.ok(queue.workers().length <= 3, String(queue.workers().length))
    const works = Array.from({ length: 40 }, () => queue.run('sleep', [2], { key: 'file' }))
    await Promise.all(works)
    assert.ok(queue.workers().length <= 3, String(queue.workers().length))
  })

  test('BUG-IOWQ-7, BUG-IOWQ-8: keeps below the maximum of each class while works block and go on', async () => {
    await using queue = make({ maxWorkers: { bounded: 1, unbounded: 4 } })
    const [bounded, unbounded] = [word(), word()]
    const [most, mostOf4] = [word(), word()]
    const works = Array.from({ length: 60 }, (_, place) => {
      const isBounded = place % 2 === 0
      const meet = {
        now: isBounded ? bounded : unbounded,
        most: isBounded ? most : mostOf4,
        order: word(2),
      }
      return queue.run('meet', [meet, 1, 2], { unbounded: !isBounded })
    })
    await until('both classes work', () => queue.workers().length >= 2)
    const { workers } = queue.stats()
    assert.ok(workers.bounded <= 1 && workers.unbounded <= 4, JSON.stringify(workers))
    await Promise.all(works)
    assert.equal(most[0], 1)
    assert.ok((mostOf4[0] ?? 0) >= 1)
  })

  test('INV-IOWQ-3: grows for works that a loop keeps from a place on its thread', async () => {
    for (const unbounded of [true, false]) {
      await using queue = make({ maxWorkers: { bounded: 4, unbounded: 4 }, concurrency: 16 })
      const words = [0, 1, 2].map(() => word())
      const works = words.map((begun) => queue.enqueue('checkingCode', [begun], { unbounded }))
      await Promise.all(words.map(marked))
      assert.equal(queue.workers().length, 3)
      for (const work of works) assert.equal(work.cancel(), 'running')
      const ends = await Promise.all(works.map(({ result }) => result))
      assert.deepEqual(ends, ['ECANCELED', 'ECANCELED', 'ECANCELED'])
    }
  })

  test('BUG-IOWQ-13: is made all the same under a storm of signals', async (t) => {
    const listener = (): void => {}
    // The test runner of Node 24 and newer has its processes write a report at each SIGUSR2.
    process.on('SIGWINCH', listener)
    t.after(() => process.off('SIGWINCH', listener))
    const storm = setInterval(() => {
      for (let count = 0; count < 20; count++) process.kill(process.pid, 'SIGWINCH')
    }, 1)
    t.after(() => clearInterval(storm))
    for (let round = 0; round < 10; round++) {
      await using queue = make({ maxWorkers: 3 })
      const works = Array.from({ length: 30 }, (_, value) => queue.run('add', [value, 1]))
      assert.equal((await Promise.all(works)).length, 30)
    }
  })
})
