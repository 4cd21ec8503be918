import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeySpace, WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram } from '../worker/program.fixture.js'
import { meeting, word } from './contract/support.fixture.js'
import type * as Handlers from './works.fixture.js'

checkForLeaks()

const handlers = new URL('./works.fixture.js', import.meta.url)
const make = (options?: WorkQueueOptions): WorkQueue<typeof Handlers> =>
  new WorkQueue(handlers, options)

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)

/** Defects that io-wq once had. */
describe('what happened to io-wq', () => {
  test('BUG-IOWQ-2: ends of 1,000 works without a key, or with falsy ones, free no busy key', async () => {
    await using queue = make({ maxWorkers: 3 })
    const [gate, counter] = [word(), word()]
    const falsy = [0, '', false, null, Number.NaN]
    for (const key of falsy) {
      Atomics.store(gate, 0, 0)
      const before = Atomics.load(counter, 0)
      const held = queue.enqueue('waitFor', [gate], { key })
      const second = queue.enqueue('count', [counter], { key })
      await until('it runs', () => held.state === 'running')
      const others = Array.from({ length: 200 }, (_, place) =>
        queue.run('nothing', [], place % 2 === 0 ? {} : { key: `other ${place % 6}` }),
      )
      await Promise.all(others)
      assert.deepEqual([second.state, counter[0]], ['pending', before])
      Atomics.store(gate, 0, 1)
      assert.equal(await second.result, before + 1)
    }
  })

  test('BUG-IOWQ-3: with two keys, works without one and one or two workers nothing stalls', async () => {
    for (const maxWorkers of [1, 2]) {
      await using queue = make({ maxWorkers })
      const counter = word()
      for (let round = 0; round < 40; round++) {
        const works = Array.from({ length: 100 }, (_, place) => {
          const key = place % 3 === 0 ? {} : { key: place % 3 }
          return place % 17 === 0
            ? queue.run('sleep', [place % 2], key)
            : queue.run('count', [counter], key)
        })
        // A work that stalled would never end, and nothing comes that could set it going.
        await Promise.all(works)
      }
      assert.equal(counter[0], 40 * 94)
    }
  })

  test('BUG-IOWQ-4: no release of a key is lost between several queues that share it', async () => {
    const keySpace = new KeySpace()
    const queues = [1, 2, 3].map((maxWorkers) => make({ maxWorkers, keySpace }))
    const meetings = [meeting(0), meeting(0)]
    for (let round = 0; round < 20; round++) {
      const works = Array.from({ length: 150 }, (_, place) => {
        const queue = queues[place % 3] as WorkQueue<typeof Handlers>
        const meet = meetings[place % 2] as Handlers.Meeting
        return place % 5 === 4
          ? queue.run('nothing')
          : queue.run('meet', [meet, 1, place % 19 === 0 ? 1 : 0], { key: place % 2 })
      })
      await Promise.all(works)
    }
    assert.deepEqual(
      meetings.map(({ most }) => most[0]),
      [1, 1],
    )
    await Promise.all(queues.map((queue) => queue.close()))
  })

  test('BUG-IOWQ-23: a debugger attaches to the workers of a queue, and works go on', async () => {
    const { code, out, err } = await runProgram(`
      import inspector from 'node:inspector'
      const { WorkQueue } = await import(${index})
      const session = new inspector.Session()
      session.connect()
      const attached = []
      session.on('NodeWorker.attachedToWorker', ({ params }) => attached.push(params.workerInfo.type))
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
      const queue = new WorkQueue(new URL('${handlers.href}'), { maxWorkers: 2, minWorkers: 2 })
      await queue.ready()
      const all = await Promise.all(Array.from({ length: 200 }, (_, value) => queue.run('add', [value, 1])))
      console.log(all.length, attached.length)
      await queue.close()
      session.disconnect()`)
    assert.deepEqual([code, out], [0, '200 2\n'], err)
  })

  test('BUG-IOWQ-23: a process that is stopped and goes on loses no work', async () => {
    const { code, out, err } = await runProgram(`
      import { spawn } from 'node:child_process'
      const { WorkQueue } = await import(${index})
      const queue = new WorkQueue(new URL('${handlers.href}'), { maxWorkers: 2 })
      await queue.run('nothing')
      const stopper = spawn('sh', ['-c', 'for i in 1 2 3; do kill -STOP ' + process.pid +
        '; sleep 0.1; kill -CONT ' + process.pid + '; sleep 0.05; done'])
      const stopped = new Promise((resolve) => stopper.once('exit', resolve))
      let [count, isOver] = [0, false]
      void stopped.then(() => { isOver = true })
      while (!isOver) {
        const works = Array.from({ length: 50 }, (_, value) => queue.run('add', [value, 1], { timeoutMs: 60000 }))
        count += (await Promise.all(works)).length
      }
      console.log(count % 50, queue.stats().done === count + 1)
      await queue.close()`)
    assert.deepEqual([code, out], [0, '0 true\n'], err)
  })
})
