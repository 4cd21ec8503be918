import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { answerOf } from './answer.fixture.js'
import type { Report } from './forked.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'
import { UserWorker } from './index.js'
import { workerRows, table } from './table.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const program = fileURLToPath(new URL('./forked.fixture.js', import.meta.url))
const untilStopped = functionOf('async (data, self) => { await self.sleep(60000); return 7 }')

/** What a forked program says, once it has ended. */
async function reportOf(child: ChildProcess): Promise<Report> {
  const exit = once(child, 'exit')
  const [report] = (await once(child, 'message')) as [Report]
  assert.deepEqual(await exit, [0, null])
  return report
}

const fresh: Report = { rows: 0, marked: 0, own: [1, 3] }

describe('a fork of the owner', () => {
  test('UW-14: begins with no workers and an empty table, and those of the owner stay', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => UserWorker.create(untilStopped)))
    await workers[0]?.start()
    assert.deepEqual(await reportOf(fork(program)), fresh)
    assert.equal(workerRows(table()).length, 3)
    const codes = await Promise.all(workers.map((worker) => worker.stop()))
    assert.deepEqual(codes, [7, -4, -4])
  })

  test('UW-14: also when a worker forks, which is not the end of that worker', async () => {
    const report = await answerOf<Report>(
      `async (program) => {
        const { fork } = await import('node:child_process')
        return new Promise((resolve) => fork(program).once('message', resolve))
      }`,
      { data: program },
    )
    assert.deepEqual(report, fresh)
  })
})

describe('an owner in trouble', () => {
  test('BUG-UW-2: that dies slowly loses no work of a function that needs nothing of it', async () => {
    const { code, out, err } = await runProgram(`
      const { UserWorker } = await import(${index})
      const steps = new Int32Array(new SharedArrayBuffer(8))
      const text = \`export default (steps) => {
        for (;;) { Atomics.add(steps, 0, 1); Atomics.wait(steps, 1, 0, 1) }
      }\`
      const worker = await UserWorker.create('data:text/javascript,' + encodeURIComponent(text), { data: steps })
      await worker.start()
      process.on('exit', () => {
        const before = Atomics.load(steps, 0)
        const until = Date.now() + 30_000
        while (Atomics.load(steps, 0) - before <= 20 && Date.now() < until);
        console.log(Atomics.load(steps, 0) - before > 20)
      })
      process.exit(3)`)
    assert.deepEqual([code, out], [3, 'true\n'], err)
  })

  test('BUG-UW-2: whose folder was removed keeps the workers it has, and is told why it gets no more', async () => {
    const { code, out, err } = await runProgram(`
      import { mkdtempSync, rmdirSync } from 'node:fs'
      import { tmpdir } from 'node:os'
      import { join } from 'node:path'
      const { UserWorker } = await import(${index})
      const make = (text) =>
        UserWorker.create('data:text/javascript,' + encodeURIComponent('export default ' + text))
      const idle = await make('() => 5')
      const running = await make('async (data, self) => { await self.sleep(60000); return 6 }')
      await running.start()
      const folder = mkdtempSync(join(tmpdir(), 'uw-'))
      process.chdir(folder)
      rmdirSync(folder)
      await idle.start()
      console.log(await idle.join(), await running.stop())
      const late = await make('() => 7').then(
        async (worker) => (await worker.start(), worker.join()),
        (error) => error.cause.code,
      )
      console.log([7, 'ENOENT'].includes(late))
      process.chdir('/')
      const again = await make('() => 8')
      await again.start()
      console.log(await again.join())`)
    assert.deepEqual([code, out], [0, '5 6\ntrue\n8\n'], err)
  })

  test('BUG-UW-8: that is hit by a storm of signals makes each worker it asks for', async () => {
    const { code, out, err } = await runProgram(`
      import { spawn } from 'node:child_process'
      import { once } from 'node:events'
      const { UserWorker } = await import(${index})
      let heard = 0
      process.on('SIGUSR2', () => heard++)
      const loop = 'while kill -USR2 $1; do :; done'
      const storm = spawn('sh', ['-c', loop, 'sh', String(process.pid)], { stdio: 'ignore' })
      while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const codes = []
      for (let round = 0; round < 20; round++) {
        const worker = await UserWorker.create('data:text/javascript,export default () => 7')
        await worker.start()
        codes.push(await worker.join())
      }
      storm.kill('SIGKILL')
      await once(storm, 'exit')
      console.log(codes.every((code) => code === 7), heard > 20)`)
    assert.deepEqual([code, out], [0, 'true true\n'], err)
  })
})
