import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { runProgram } from '../../worker/program.fixture.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)

/** Makes a worker, and waits until it sleeps in its system call. */
const asleep = `
  const { VhostWorker } = await import(${index})
  const worker = await VhostWorker.create()
  await worker.flush()
  const told = () => JSON.stringify(worker.thread.describe())
  while (!/sleeping/.test(told())) await new Promise((resolve) => setTimeout(resolve, 5))
`

/** A thread that does this once its worker is asleep. */
const nested = (then: string): string => `
  const { Worker } = await import('node:worker_threads')
  const text = ${JSON.stringify(`(async () => { ${asleep}; ${then} })()`)}
  const thread = new Worker(text, { eval: true })
`

/** How a program ends, and how long that takes after it has begun to, in milliseconds. */
async function endOf(text: string): Promise<{ code: number | null; err: string; ms: number }> {
  const { code, out, err } = await runProgram(text)
  const ended = Date.now()
  return { code, err, ms: ended - Number(out.trim().split('\n').at(-1)) }
}

const now = `(await import('node:fs')).writeSync(1, Date.now() + '\\n')`

/** A thread in a system call would be waited for until its longest sleep is over, which is a second. */
const atOnceMs = 900

describe('the end of a process with a vhost worker that sleeps in a system call', { skip }, () => {
  test('comes at once, whatever ends it [VH-41, BUG-VH-4, BUG-VH-5]', async () => {
    for (const [how, text, code] of [
      ['by process.exit', `${asleep}; ${now}; process.exit(3)`, 3],
      ['by an error that nobody caught', `${asleep}; ${now}; throw new Error('no')`, 1],
      ['by a crash', `${asleep}; ${now}; process.abort()`, null],
      ['because nothing is left to do', `${asleep}; ${now}`, 0],
      [
        'by SIGTERM',
        `${asleep}; ${now}; process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 60000)`,
        null,
      ],
      [
        'by process.exit of the thread that made it',
        nested(`${now}; process.exit(5)`) + `thread.on('exit', (code) => process.exit(code + 1))`,
        6,
      ],
    ] as const) {
      // The fastest of a few: the machine may be busy.
      const times: number[] = []
      while (times.length < 3 && !(Math.min(...times) < atOnceMs)) {
        const end = await endOf(text)
        assert.equal(end.code, code, `${how}: ${end.err}`)
        times.push(end.ms)
      }
      assert.ok(Math.min(...times) < atOnceMs, `${how}: ${times.join(' ')} ms`)
    }
  })

  test('comes soon where the thread that made it is terminated [VH-40, BUG-VH-4]', async () => {
    const ready = `(await import('node:worker_threads')).parentPort.postMessage('ready')`
    const then = `thread.once('message', async () => {
      await thread.terminate()
      console.log('terminated')
    })`
    const { code, out, err } = await runProgram(
      nested(`${ready}; setInterval(() => {}, 1000)`) + then,
    )
    assert.deepEqual([code, out, err], [0, 'terminated\n', ''])
  })

  test('comes where it is killed while requests come without an end [BUG-VH-4]', async () => {
    const fixture = JSON.stringify(new URL('../../testing/guest.fixture.js', import.meta.url).href)
    const device = JSON.stringify(new URL('../device.fixture.js', import.meta.url).href)
    const served = JSON.stringify(new URL('../vhost-device.js', import.meta.url).href)
    const { code, out, err } = await runProgram(`
      const { Guest } = await import(${fixture})
      const { asking, Serve } = await import(${device})
      const { VhostDevice } = await import(${served})
      const guest = new Guest()
      const words = new Int32Array(new SharedArrayBuffer(256))
      const device = await VhostDevice.create({
        module: ${device}, data: { words, vrings: 1 }, name: 'dev', workers: 1, workerOptions: {},
      })
      for (let round = 0; round < 10; round++) {
        await device.setOwner()
        await device.setMemory(guest.map())
        const queue = guest.queue({ size: 64 })
        await device.startVring(0, queue.setup())
        let isOver = false
        const flood = async () => { while (!isOver) await queue.send(asking(Serve.PROMISE, 0)) }
        for (let each = 0; each < 8; each++) void flood()
        while (Atomics.load(words, 2) < (round + 1) * 20) await new Promise((resolve) => setTimeout(resolve, 1))
        const worker = device.workerOf(0)
        worker.thread.kill()
        await worker.thread.join().catch(() => {})
        isOver = true
        await device.resetOwner()
      }
      console.log('over')
      process.exit(0)
    `)
    assert.deepEqual([code, out, err], [0, 'over\n', ''])
  })
})
