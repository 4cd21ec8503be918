import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from './leaks.fixture.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)

/** A process that a test sends signals to. */
interface Owner {
  readonly child: ChildProcess
  /** The lines it wrote so far. */
  readonly lines: string[]
  readonly ended: Promise<unknown[]>
  /** Waits for a line. */
  saw(line: string): Promise<void>
}

/** Runs a program with `worker(text)` to start a worker in, and waits until it says 'ready'. */
async function owner(t: TestContext, body: string): Promise<Owner> {
  const program = `
    const { UserWorker } = await import(${index})
    const worker = async (text) => {
      const one = await UserWorker.create('data:text/javascript,' + encodeURIComponent('export default ' + text))
      await one.start()
      return one
    }
    setTimeout(() => process.exit(99), 300000)
    ${body}
    console.log('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  child.stdout.on('data', (text: Buffer) => lines.push(...text.toString().trim().split('\n')))
  const saw = async (line: string): Promise<void> => {
    for (let tries = 0; tries < 2000 && !lines.includes(line); tries++) await sleep(10)
    assert.ok(lines.includes(line), `'${line}' is not among: ${lines.join(', ')}`)
  }
  // 'close', and not 'exit': then everything it wrote has been read.
  const ended = once(child, 'close')
  await saw('ready')
  return { child, lines, ended, saw }
}

const statesOf = ({ child }: Owner): string[] =>
  threadsOf(child.pid ?? 0)
    .filter((thread) => thread.name.startsWith('uw:'))
    .map((thread) => thread.state)

/** Waits until all workers of a process are, or are not, stopped. */
async function workersStopped(of: Owner, stopped: boolean): Promise<boolean> {
  const met = (): boolean => statesOf(of).every((state) => (state === 'stopped') === stopped)
  for (let tries = 0; tries < 2000 && !met(); tries++) await sleep(10)
  return met()
}

describe('a signal to the process', () => {
  const listening = `async (data, self) => {
    for (const signal of ['SIGUSR2', 'SIGTERM', 'SIGHUP']) process.on(signal, () => console.log('worker ' + signal))
    await self.sleep(60000)
  }`

  test("UW-27, INV-SIG-1, INV-SIG-5: runs the owner's handler once, and none that a worker registered", async (t) => {
    const it = await owner(
      t,
      `const one = await worker(\`${listening}\`)
       for (const signal of ['SIGUSR2', 'SIGTERM', 'SIGHUP']) process.on(signal, () => console.log('owner ' + signal))
       process.on('SIGINT', async () => { await one.stop(); process.exit(5) })`,
    )
    for (const signal of ['SIGUSR2', 'SIGTERM', 'SIGHUP'] as const) {
      it.child.kill(signal)
      await it.saw(`owner ${signal}`)
    }
    await sleep(50)
    it.child.kill('SIGINT')
    assert.deepEqual(await it.ended, [5, null])
    assert.deepEqual(it.lines, ['ready', 'owner SIGUSR2', 'owner SIGTERM', 'owner SIGHUP'])
  })

  test('UW-27: does what it does by default when only a worker listens for it', async (t) => {
    const it = await owner(t, `await worker(\`${listening}\`)`)
    it.child.kill('SIGUSR2')
    assert.deepEqual(await it.ended, [null, 'SIGUSR2'])
    assert.deepEqual(it.lines, ['ready'])
  })

  test('UW-27: neither wakes nor ends a worker that sleeps', async (t) => {
    const it = await owner(
      t,
      `process.on('SIGUSR2', () => {})
       const sleeps = ['await self.sleep(60000)', 'self.sleepSync(60000)']
       const all = []
       for (const one of sleeps) all.push(await worker('async (data, self) => ' + one))
       process.on('SIGTERM', async () => {
         console.log(all.map((one) => one.state).join())
         console.log((await Promise.all(all.map((one) => one.stop()))).join())
         process.exit()
       })`,
    )
    for (let count = 0; count < 50; count++) it.child.kill('SIGUSR2')
    await sleep(50)
    it.child.kill('SIGTERM')
    await it.ended
    assert.deepEqual(it.lines, ['ready', 'running,running', '-4,-4'])
  })
})

describe('a worker is a thread of the group', () => {
  const busy = `
    await worker('() => { for (;;); }')
    await worker('(data, self) => self.sleepSync(60000)')
    await worker('(data, self) => self.sleep(60000)')`

  test('UW-23: so STOP stops it, whatever it is doing, and CONT lets it go on', async (t) => {
    const it = await owner(t, busy)
    assert.equal(statesOf(it).length, 3)
    for (let round = 0; round < 3; round++) {
      it.child.kill('SIGSTOP')
      assert.ok(await workersStopped(it, true), statesOf(it).join())
      it.child.kill('SIGCONT')
      assert.ok(await workersStopped(it, false), statesOf(it).join())
    }
    it.child.kill('SIGKILL')
    await it.ended
  })

  test('so STOP stops it where it waits for its owner, and CONT lets it go on [BUG-SIG-5]', async (t) => {
    const it = await owner(
      t,
      `const lock = new Int32Array(new SharedArrayBuffer(4)).fill(1)
       const text = 'export default (lock) => { Atomics.wait(lock, 0, 1); return 7 }'
       const one = await UserWorker.create('data:text/javascript,' + encodeURIComponent(text), {
         data: lock,
       })
       await one.start()
       process.on('SIGUSR2', async () => {
         Atomics.store(lock, 0, 0)
         Atomics.notify(lock, 0)
         process.exit(await one.join())
       })`,
    )
    it.child.kill('SIGSTOP')
    assert.ok(await workersStopped(it, true), statesOf(it).join())
    it.child.kill('SIGCONT')
    assert.ok(await workersStopped(it, false), statesOf(it).join())
    it.child.kill('SIGUSR2')
    assert.deepEqual(await it.ended, [7, null])
  })

  test('so STOP stops it while it is made too, whichever thread that is in the system [SG-6]', async (t) => {
    const it = await owner(
      t,
      `const make = async () => {
         const one = await worker('() => {}')
         await one.join()
         console.log('made')
         setImmediate(make)
       }
       for (let count = 0; count < 3; count++) void make()`,
    )
    const states = (): string[] => threadsOf(it.child.pid ?? 0).map(({ state }) => state)
    const areStopped = (): boolean => states().every((state) => state === 'stopped')
    for (let round = 0; round < 20; round++) {
      const before = it.lines.length
      for (let tries = 0; tries < 2000 && it.lines.length === before; tries++) await sleep(5)
      it.child.kill('SIGSTOP')
      for (let tries = 0; tries < 2000 && !areStopped(); tries++) await sleep(5)
      assert.ok(areStopped(), states().join())
      it.child.kill('SIGCONT')
    }
    assert.ok(it.lines.length > 20, 'workers were made all the time')
  })

  test('UW-23: so KILL ends it with the process, also while all are stopped', async (t) => {
    for (const stopped of [false, true]) {
      const it = await owner(t, busy)
      if (stopped) it.child.kill('SIGSTOP')
      it.child.kill('SIGKILL')
      assert.deepEqual(await it.ended, [null, 'SIGKILL'])
      assert.deepEqual(threadsOf(it.child.pid ?? 0), [])
    }
  })
})
