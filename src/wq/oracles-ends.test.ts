import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { Worker } from '../os/thread.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { runProgram, type End } from '../worker/program.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('../index.js', import.meta.url).href)
const handlers = JSON.stringify(new URL('./works.fixture.js', import.meta.url).href)

/** What programs and threads begin with. */
const head = `
  const { WorkQueue } = await import(${index})
  const make = (options) => new WorkQueue(new URL(${handlers}), options)
  const word = () => new Int32Array(new SharedArrayBuffer(4))
  const begun = async (mark) => {
    while (Atomics.load(mark, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const ended = (work) => work.result.then(() => 'done', (error) => error.code)`

/** A program with queues, in a process of its own. */
const run = (body: string): Promise<End> => runProgram(`${head}\n${body}`)

/** A thread with queues of its own, in this process. @returns its exit code, when it has ended */
function runInThread(body: string): Promise<number> {
  const thread = new Worker(`(async () => { ${head}\n${body} })()`, { eval: true })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', resolve)
  })
}

const isGone = (name: string): boolean => !threadsOf().some((one) => one.name.startsWith(name))

/** What the tests of io_uring's own library assert about exits, where it has a meaning here. */
describe('as in liburing, at an end', () => {
  test('files-exit-hang-poll, files-exit-hang-timeout: what follows a work that never ends holds up none', async () => {
    const works = `
      const queue = make({ maxWorkers: 2, closeDeadlineMs: 100 })
      const mark = word()
      const options = { unbounded: true }
      const endless = queue.enqueue('deaf', [mark], options)
      const next = queue.enqueue('nothing', [], { ...options, after: endless })
      const last = queue.enqueue('nothing', [], { after: next })
      const ends = Promise.all([endless, next, last].map(ended))
      await begun(mark)`
    const exited = await run(`${works}; process.exit(4)`)
    assert.deepEqual([exited.code, exited.err], [4, ''])
    const closed = await run(`${works}
      const { stuck } = await queue.close()
      console.log(stuck.length, (await ends).slice(1).join())`)
    assert.deepEqual([closed.code, closed.err], [0, ''])
    assert.equal(closed.out, '1 ECANCELED,ECANCELED\n')
    for (let round = 0; round < 3; round++)
      assert.equal(await runInThread(`${works}; process.exit(4)`), 4)
  })

  test('read-before-exit: 12 threads that submit works and exit at once take all of them along', async () => {
    for (let round = 0; round < 12; round += 4) {
      const threads = [0, 1, 2, 3].map((each) =>
        runInThread(`
          const queue = make({ name: 'oracle', maxWorkers: 1 })
          for (let count = 0; count < 8; count++) ended(queue.enqueue('sleep', [1e6]))
          if (${each} > 0) await queue.ready()
          process.exit(${each})`),
      )
      assert.deepEqual(await Promise.all(threads), [0, 1, 2, 3])
    }
    await until('their workers are gone', () => isGone('uw:oracle'))
  })

  test('across-fork: a process that is forked while works run knows nothing of them, and ends none', async () => {
    const { code, out, err } = await run(`
      const { fork } = await import('node:child_process')
      const { writeFileSync, mkdtempSync, rmSync } = await import('node:fs')
      const folder = mkdtempSync((await import('node:os')).tmpdir() + '/uw-fork-')
      const child = folder + '/child.mjs'
      writeFileSync(child, \`
        const { WorkQueue } = await import(\${JSON.stringify(${index})})
        const queue = new WorkQueue(new URL(\${JSON.stringify(${handlers})}), { maxWorkers: 1 })
        const { length } = queue.workers()
        process.send([length, await queue.run('add', [1, 2])])
        process.disconnect()\`)
      const queue = make({ maxWorkers: 1 })
      const [mark, gate, count] = [word(), word(), word()]
      const work = queue.enqueue('pass', [mark, gate, count])
      const next = queue.enqueue('add', [3, 4], { after: work })
      await begun(mark)
      const forked = fork(child, { execArgv: [] })
      const said = await new Promise((resolve) => forked.once('message', resolve))
      const code = await new Promise((resolve) => forked.once('exit', resolve))
      console.log(JSON.stringify([said, code, work.state]))
      Atomics.store(gate, 0, 1)
      console.log(JSON.stringify(await Promise.all([work.result, next.result])))
      rmSync(folder, { recursive: true })
      await queue.close()`)
    assert.deepEqual([code, err], [0, ''])
    assert.equal(out, '[[0,3],0,"running"]\n[1,7]\n')
  })

  test('futex-kill: a signal ends a process though a work of it waits for a word [WQ-56, INV-SIG-3]', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM']) {
      const { code, out } = await run(`
        const queue = new WorkQueue(null, { maxWorkers: 1 })
        const [mark, never] = [word(), word()]
        const waits = (mark, never) => {
          Atomics.store(mark, 0, 1)
          Atomics.wait(never, 0, 0)
        }
        ended(queue.enqueue(waits, [mark, never]))
        await begun(mark)
        console.log('waits')
        process.kill(process.pid, '${signal}')
        setInterval(() => {}, 1000)`)
      // Null: by the signal.
      assert.deepEqual([code, out], [null, 'waits\n'], signal)
    }
  })

  test('exit-no-cleanup: a thread that leaves 3 queues with works of all kinds ends [WQ-58]', async () => {
    const body = `
      const marks = []
      for (let queues = 0; queues < 3; queues++) {
        const queue = make({ name: 'oracle', maxWorkers: 1 })
        const mark = word()
        marks.push(mark)
        const first = queue.enqueue('spin', [mark])
        for (const work of [first, queue.enqueue('nothing', [], { after: first })]) ended(work)
        ended(queue.enqueue('nothing'))
      }
      for (const mark of marks) await begun(mark)
      process.exit(6)`
    for (let round = 0; round < 3; round++) assert.equal(await runInThread(body), 6)
    await until('their workers are gone', () => isGone('uw:oracle'))
  })
})
