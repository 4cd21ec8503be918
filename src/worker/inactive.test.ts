import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setPriority } from 'node:os'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isIdle, until } from '../os/own-thread.fixture.js'
import { sampleThread } from '../os/proc.js'
import { identityOf } from './identity.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'
import { EINTR, UserWorker } from './index.js'

checkForLeaks()

const word = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
const counting = functionOf('(calls) => { Atomics.add(calls, 0, 1) }')

describe('a worker that was not started', () => {
  test('INV-UW-2: executes nothing of its function, however long it stands there and however it ends', async () => {
    const ends: ((worker: UserWorker) => unknown)[] = [
      (worker) => worker.requestStop(),
      (worker) => worker.kill(),
      (worker) => worker.stop(),
      (worker) => worker[Symbol.asyncDispose](),
    ]
    for (const end of ends) {
      const calls = word()
      const worker = await UserWorker.create(counting, { data: calls })
      await sleep(30)
      void end(worker)
      assert.equal(await worker.join(), EINTR)
      assert.deepEqual([calls[0], worker.entered], [0, false])
    }
  })

  test('UW-3: sleeps at its gate, and runs after a start', async () => {
    const calls = word()
    const worker = await UserWorker.create(counting, { data: calls })
    const tid = worker.osThreadId ?? 0
    await until('it sleeps', () => isIdle(tid))
    const before = sampleThread(tid)
    await sleep(200)
    const after = sampleThread(tid)
    assert.deepEqual(
      [worker.state, before?.state, after?.state],
      ['created', 'sleeping', 'sleeping'],
    )
    assert.ok((after?.cpuMs ?? 0) - (before?.cpuMs ?? 0) < 20, 'its thread uses no CPU time')
    assert.equal(calls[0], 0)
    await worker.start()
    await worker.join()
    assert.equal(calls[0], 1)
  })

  test('UW-3: can be given data, a priority and CPUs, which its function finds, in 20 rounds', async () => {
    const first = (identityOf('process')['Cpus_allowed_list'] ?? '0').split(/[,-]/)[0] ?? '0'
    const module = functionOf(`async (seen) => {
      const { readFileSync } = await import('node:fs')
      const { getPriority } = await import('node:os')
      const status = readFileSync('/proc/thread-self/status', 'utf8')
      seen[1] = getPriority(0)
      seen[2] = Number(/^Cpus_allowed_list:\\s*(\\d+)$/m.exec(status)?.[1] ?? -1)
    }`)
    for (let round = 0; round < 20; round++) {
      const seen = new Int32Array(new SharedArrayBuffer(12))
      const worker = await UserWorker.create(module, { data: seen })
      setPriority(worker.osThreadId ?? 0, 3)
      execFileSync('taskset', ['-p', '-c', first, `${worker.osThreadId}`])
      seen[0] = round
      await worker.start()
      assert.equal(await worker.join(), 0)
      assert.deepEqual([...seen], [round, 3, Number(first)])
    }
  })
})

describe("a worker's code", () => {
  test("UW-5: is its module alone: the owner's program does not run in it", async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const { code, out, err } = await runProgram(`
      console.log('program')
      const { UserWorker } = await import(${index})
      const worker = await UserWorker.create('data:text/javascript,export default () => console.log("function")')
      await worker.start()
      await worker.join()
      console.log('end of program')`)
    assert.deepEqual([code, out], [0, 'program\nfunction\nend of program\n'], err)
  })

  test('UW-5: ends with its function, whatever timers, ports and servers that left behind', async () => {
    const late = word()
    const worker = await UserWorker.create(
      functionOf(`async (late) => {
        const { createServer } = await import('node:net')
        await new Promise((resolve) => createServer().listen(0, '127.0.0.1', resolve))
        new MessageChannel().port1.onmessage = () => {}
        setInterval(() => Atomics.add(late, 0, 1), 1)
        return 4
      }`),
      { data: late },
    )
    await worker.start()
    assert.equal(await worker.join(), 4)
    const seen = late[0]
    await sleep(30)
    assert.equal(late[0], seen)
  })
})
