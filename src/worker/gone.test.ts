import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { UserWorker, type UserWorkerOptions } from './index.js'
import { workerRows, table } from './table.js'

checkForLeaks()

/** What is counted of workers: rows, threads of ours, and all threads. */
function counts(): { rows: number; marked: number; threads: number } {
  const threads = threadsOf()
  const marked = threads.filter((thread) => thread.name.startsWith('uw:')).length
  return { rows: workerRows(table()).length, marked, threads: threads.length }
}

/** Waits until all is as it was: a thread is there for a moment after its 'exit'. */
function settledTo(before: ReturnType<typeof counts>): Promise<void> {
  const settled = (): boolean => isDeepStrictEqual(counts(), before)
  return until(`${JSON.stringify(counts())} becomes ${JSON.stringify(before)}`, settled)
}

/** What a module may do at its worst: go on in a timer and in a listener of the exit. */
const restless = `
  export default async (counter, self) => {
    const step = () => { Atomics.add(counter, 0, 1) }
    setInterval(step, 1)
    process.on('exit', () => { for (let turn = 0; turn < 20000; turn++) step() })
    await self.sleep(60000)
    step()
  }`

/** The first worker of a process makes threads of Node's own. */
async function warmUp(): Promise<void> {
  await (await UserWorker.create(functionOf('() => {}'))).stop()
  await until('no thread of ours is left', () => counts().marked === 0)
}

describe('a worker that has ended', () => {
  test('UW-12, BUG-UW-5: is gone though nobody waited for it: no thread, no row, no zombie', async () => {
    await warmUp()
    const before = counts()
    for (const code of ['() => 7', '() => {}', '(data, self) => self.sleepSync(1)']) {
      const worker = await UserWorker.create(functionOf(code))
      void worker.start()
    }
    await settledTo(before)
    await until('no zombie', () => !threadsOf().some((thread) => thread.state === 'zombie'))
  })

  test('UW-13, BUG-UW-6: runs nothing of its module once its end was reported, in 60 rounds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-module-'))
    for (let round = 0; round < 60; round++) {
      const file = join(folder, `module-${round}.mjs`)
      writeFileSync(file, restless)
      const counter = new Int32Array(new SharedArrayBuffer(4))
      const worker = await UserWorker.create(file, { data: counter })
      await worker.start()
      await sleep(round % 5)
      if (round % 3 === 0) worker.kill()
      else worker.requestStop()
      if (round % 3 === 1) worker.kill()
      await worker.join()
      const seen = Atomics.load(counter, 0)
      if (round % 3 === 2) assert.ok(seen > 20_000, 'its listener of the exit ran')
      rmSync(file)
      await sleep(4)
      assert.equal(Atomics.load(counter, 0), seen, `round ${round}`)
    }
    rmSync(folder, { recursive: true })
  })
})

describe('a creation that fails', () => {
  test('INV-UW-5: leaves as many threads and rows as there were, whatever it failed of', async () => {
    await warmUp()
    const before = counts()
    const failing: [URL | string, UserWorkerOptions][] = [
      ['./relative.js', {}],
      ['/nowhere/at-all.js', {}],
      [moduleOf('throw 1'), {}],
      [moduleOf('process.exit(3)'), {}],
      [moduleOf('export const x = 1'), {}],
      // Long enough for our own files: Node leaves open what a terminated thread was reading.
      [
        moduleOf('await new Promise((resolve) => setTimeout(resolve, 1e8))'),
        { loadDeadlineMs: 2000 },
      ],
      [functionOf('() => {}'), { data: () => {} }],
      [functionOf('() => {}'), { nice: 1.5 }],
      [functionOf('() => {}'), { signal: AbortSignal.abort() }],
      [functionOf('() => {}'), { execArgv: ['--no-such-flag'] }],
    ]
    for (const [module, options] of failing) {
      await assert.rejects(UserWorker.create(module, options))
      await settledTo(before)
    }
  })
})
