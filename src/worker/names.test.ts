import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { UserWorker } from './index.js'

checkForLeaks()

const untilStopped = functionOf(
  'async (data, self) => { while (!self.shouldStop()) await self.sleep(60000); return 7 }',
)

describe('names', () => {
  test('UW-10: ps shows the worker as a thread of this process, named before its function runs', async () => {
    const worker = await UserWorker.create(untilStopped, { name: 'poller' })
    const line = `${worker.osThreadId} uw:poller`
    const threads = execFileSync('ps', ['-T', '-p', `${process.pid}`, '-o', 'tid=,comm='], {
      encoding: 'utf8',
    })
    assert.ok(
      threads.split('\n').some((each) => each.trim() === line),
      `${line} is not in\n${threads}`,
    )
    await worker.stop()
  })

  test('INV-UW-4: a worker adds a thread to this process, and no process', async () => {
    const count = (...args: string[]): number =>
      execFileSync('ps', [...args, `${process.pid}`, '-o', 'pid='], { encoding: 'utf8' })
        .trim()
        .split('\n').length
    const isOurs = ({ name }: { name: string }): boolean => name.startsWith('uw:')
    await until('those before are gone', () => !threadsOf().some(isOurs))
    // This process has one child each time: the program that counts.
    const [children, threads] = [count('--ppid'), count('-T', '-p')]
    const worker = await UserWorker.create(untilStopped)
    assert.deepEqual([count('--ppid'), count('-T', '-p')], [children, threads + 1])
    await worker.stop()
  })

  test('KT-5: a long name is cut for the system and kept whole here', async () => {
    const worker = await UserWorker.create(untilStopped, { name: 'a-name-of-more-than-15-bytes' })
    const shown = execFileSync('cat', [`/proc/${process.pid}/task/${worker.osThreadId}/comm`], {
      encoding: 'utf8',
    })
    assert.equal(shown.trim(), 'uw:a-name-of-mo')
    assert.equal(worker.name, 'a-name-of-more-than-15-bytes')
    await worker.stop()
  })

  test('nice is applied to the thread alone', async () => {
    const niceOf = (tid: number | null): string =>
      execFileSync('ps', ['-T', '-p', `${process.pid}`, '-o', 'tid=,ni='], { encoding: 'utf8' })
        .split('\n')
        .find((line) => line.trim().startsWith(`${tid} `))
        ?.trim()
        .split(/\s+/)[1] ?? 'not there'
    const own = niceOf(process.pid)
    const worker = await UserWorker.create(untilStopped, { nice: 19 })
    assert.equal(niceOf(worker.osThreadId), '19')
    assert.equal(niceOf(process.pid), own)
    assert.notEqual(own, '19')
    await worker.stop()
  })
})
