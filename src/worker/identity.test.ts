import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../os/own-thread.fixture.js'
import { nice, threadsOf } from '../os/proc.js'
import { setEnvironmentData, Worker } from '../os/thread.js'
import { answerOf } from './answer.fixture.js'
import { identityOf, type Identity } from './identity.fixture.js'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { UserWorker } from './index.js'
import { Scope } from './scope.js'
import { parentOf, table, workerRows } from './table.js'

checkForLeaks()

const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
const fixture = JSON.stringify(new URL('./identity.fixture.js', import.meta.url).href)
const identity = `async () => (await import(${fixture})).identityOf('thread')`
const untilStopped = functionOf('async (data, self) => self.sleep(60000)')

/** Who a raw thread is that this thread makes now. */
async function identityOfRawThread(): Promise<Identity> {
  const raw = new Worker(
    `const { parentPort } = require('node:worker_threads')
     import(${fixture}).then(({ identityOf }) => parentPort.postMessage(identityOf('thread')))`,
    { eval: true },
  )
  const [answer] = await Promise.all([
    new Promise<Identity>((resolve) => {
      raw.once('message', resolve)
    }),
    new Promise((resolve) => {
      raw.once('exit', resolve)
    }),
  ])
  return answer
}

describe('a worker is made from its owner', () => {
  test('UW-1: by a thread of its own, from which the new one takes what a thread hands down', async () => {
    const handedDown = await answerOf<{ nice: number; colour: string }>(
      `async () => {
        const { UserWorker } = await import(${index})
        process.env.COLOUR = 'red'
        const module = 'data:text/javascript,' + encodeURIComponent(
          'export default (seen) => { seen[0] = process.env.COLOUR === "red" ? 1 : 2 }')
        const seen = new Int32Array(new SharedArrayBuffer(4))
        const below = await UserWorker.create(module, { data: seen })
        const { getPriority } = await import('node:os')
        const nice = getPriority(below.osThreadId)
        await below.start()
        await below.join()
        return { nice, colour: seen[0] === 1 ? 'red' : 'none' }
      }`,
      { nice: 19 },
    )
    assert.deepEqual(handedDown, { nice: 19, colour: 'red' })
    const own = nice(process.pid)
    assert.notEqual(own, 19, 'this thread, which owns the one between, has its own')
    const worker = await UserWorker.create(untilStopped)
    const [row] = workerRows(table())
    const parent = parentOf(table(), row ?? -1)
    assert.deepEqual([nice(worker.osThreadId ?? 0), parent], [own, Scope.current().row])
    await worker.stop()
  })

  test('UW-2, INV-UW-3: it has the ids, limits, groups and namespaces of its process', async () => {
    const seen = await answerOf<Identity>(identity)
    assert.deepEqual(seen, identityOf('process'))
    assert.ok(Object.keys(seen).length > 25, Object.keys(seen).join(' '))
  })

  test('UW-2: it finds the folder, the file mask and the limits that its owner has by then', async (t) => {
    const [before, folder] = [process.cwd(), mkdtempSync(join(tmpdir(), 'uw-'))]
    const mask = process.umask()
    t.after(() => {
      process.chdir(before)
      process.umask(mask)
      rmSync(folder, { recursive: true })
    })
    const go = new Int32Array(new SharedArrayBuffer(4))
    const answer = answerOf<{ cwd: string; limits: string }>(
      `async (go, self) => {
        process.cwd()
        Atomics.store(go, 0, 1)
        while (Atomics.load(go, 0) === 1) await self.sleep(2)
        fs.writeFileSync('made-here', '')
        return { cwd: process.cwd(), limits: fs.readFileSync('/proc/thread-self/limits', 'utf8') }
      }`,
      { data: go },
    )
    while (Atomics.load(go, 0) === 0) await sleep(2)
    process.chdir(folder)
    process.umask(0o027)
    execFileSync('prlimit', ['--pid', `${process.pid}`, '--core=12345:'])
    Atomics.store(go, 0, 2)
    const { cwd, limits } = await answer
    assert.equal(cwd, process.cwd())
    assert.equal(statSync(join(folder, 'made-here')).mode & 0o777, 0o640)
    assert.match(limits, /^Max core file size +12345 /m)
  })

  test('UW-2: files that are open in its owner are open in it, under their numbers', async () => {
    const fd = openSync(new URL(import.meta.url), 'r')
    const read = await answerOf<string>(
      'fd => { const bytes = Buffer.alloc(6); fs.readSync(fd, bytes); return bytes.toString() }',
      { data: fd },
    )
    assert.equal(read, 'import')
    assert.match(readFileSync(fd, 'utf8'), /^ assert/, 'and so is the place in them')
    closeSync(fd)
  })

  test('INV-UW-3: it is who a thread is that its owner makes at the same moment', async (t) => {
    assert.deepEqual(await answerOf(identity), await identityOfRawThread())
    const cpus = identityOf('process')['Cpus_allowed_list'] ?? '0'
    const bind = (to: string): string =>
      execFileSync('taskset', ['-p', '-c', to, `${process.pid}`], { encoding: 'utf8' })
    t.after(() => bind(cpus))
    const first = cpus.split(/[,-]/)[0] ?? '0'
    bind(first)
    const bound = await answerOf<Identity>(identity)
    assert.equal(bound['Cpus_allowed_list'], first)
    assert.deepEqual(bound, await identityOfRawThread())
  })
})

describe('a worker and what it shares', () => {
  test('UW-24: it cannot leave the folder, the mask, the user and the groups of its process', async () => {
    const refused = await answerOf<string[]>(
      `() => [['chdir', '/'], ['umask', 0], ['setuid', 0], ['seteuid', 0], ['setgid', 0], ['setegid', 0],
        ['setgroups', [0]], ['initgroups', 0, 0]].map(([name, ...args]) => {
          try { process[name](...args); return name + ' was done' } catch (error) { return error.code }
        })`,
    )
    assert.deepEqual(new Set(refused), new Set(['ERR_WORKER_UNSUPPORTED_OPERATION']))
  })

  test('UW-25: it has the descriptors of its process: one that it opens is open there, until it ends', async () => {
    const shared = new Int32Array(new SharedArrayBuffer(4)).fill(-1)
    const worker = await UserWorker.create(
      moduleOf(`
        import { openSync } from 'node:fs'
        export default (fd, self) => {
          Atomics.store(fd, 0, openSync(${JSON.stringify(new URL(import.meta.url).pathname)}))
          return self.sleep(60000)
        }`),
      { data: shared },
    )
    await worker.start()
    while (Atomics.load(shared, 0) === -1) await sleep(2)
    assert.match(readFileSync(shared[0] ?? -1, 'utf8'), /^import/)
    await worker.stop()
    assert.throws(() => readFileSync(shared[0] ?? -1), { code: 'EBADF' }, 'Node closes it')
  })
})

describe('the mark of a worker', () => {
  const nameOf = (worker: UserWorker): string | undefined =>
    threadsOf().find((thread) => thread.tid === worker.osThreadId)?.name

  test('UW-6: is there from before the start until the thread is gone, whatever its code does', async () => {
    const steps = new Int32Array(new SharedArrayBuffer(8))
    const worker = await UserWorker.create(
      functionOf(`async (steps, self) => {
        process.title = 'other'
        Atomics.store(steps, 0, 1)
        await self.sleep(60000)
        Atomics.store(steps, 0, 2)
        Atomics.wait(steps, 1, 0)
      }`),
      { name: 'marked', data: steps },
    )
    const stepTo = (step: number): Promise<void> => until(`step ${step}`, () => steps[0] === step)
    assert.equal(nameOf(worker), 'uw:marked')
    await worker.start()
    await stepTo(1)
    assert.equal(nameOf(worker), 'uw:marked')
    worker.requestStop()
    await stepTo(2)
    assert.equal(nameOf(worker), 'uw:marked', 'also while it stops')
    Atomics.store(steps, 1, 1)
    Atomics.notify(steps, 1)
    await worker.join()
    // To the system a thread is there for a moment after it was joined.
    await until('its thread is gone', () => nameOf(worker) === undefined)
  })

  test('UW-6: tells workers from all other threads of the process, whichever code asks', async () => {
    const raw = new Worker('setInterval(() => {}, 1000)', { eval: true, name: 'raw' })
    const workers = await Promise.all([1, 2, 3].map(() => UserWorker.create(untilStopped)))
    const marked = threadsOf().filter((thread) => thread.name.startsWith('uw:'))
    assert.equal(marked.length, 3)
    assert.deepEqual(
      new Set(marked.map((thread) => thread.tid)),
      new Set(workers.map((worker) => worker.osThreadId)),
    )
    assert.equal(workerRows(table()).length, 3)
    await Promise.all([raw.terminate(), ...workers.map((worker) => worker.stop())])
  })

  test('UW-10: is set before the module begins to load', async () => {
    const seen = new Int32Array(new SharedArrayBuffer(4 * 16))
    setEnvironmentData('name seen', seen)
    const worker = await UserWorker.create(
      moduleOf(`
        import { readFileSync } from 'node:fs'
        import { getEnvironmentData } from 'node:worker_threads'
        const data = getEnvironmentData('name seen')
        for (const [at, byte] of readFileSync('/proc/thread-self/comm').entries()) data[at] = byte
        export default () => {}`),
      { name: 'early' },
    )
    await worker.stop()
    assert.equal(String.fromCharCode(...seen.filter((byte) => byte !== 0)), 'uw:early\n')
  })

  test('UW-10: is cut to 15 bytes, never inside a character', async () => {
    for (const [name, shown] of [
      ['größenwahnsinnig', 'uw:größenwahn'],
      ['ééééééé', 'uw:éééééé'],
      ['日本語日本語', 'uw:日本語日'],
      ['tab\there', 'uw:tab?here'],
    ]) {
      const worker = await UserWorker.create(untilStopped, { name: name as string })
      assert.equal(nameOf(worker), shown)
      assert.equal(worker.name, name)
      await worker.stop()
    }
  })

  test('BUG-UW-4: shows one more thread of this process, and no process of its own', async () => {
    const list = (...args: string[]): string[] =>
      execFileSync('ps', [...args, '-o', 'pid=,tid=,comm='], { encoding: 'utf8' })
        .split('\n')
        .map((line) => line.trim().replace(/\s+/g, ' '))
    const worker = await UserWorker.create(untilStopped, { name: 'counted' })
    const { osThreadId } = worker
    assert.ok(!list('-e').some((line) => line.startsWith(`${osThreadId} `)))
    const shown = list('-eT').filter((line) => line.split(' ')[1] === `${osThreadId}`)
    assert.deepEqual(shown, [`${process.pid} ${osThreadId} uw:counted`])
    assert.deepEqual(
      list('-T', '-p', `${process.pid}`).filter((line) => line.endsWith('uw:counted')),
      shown,
    )
    await worker.stop()
  })
})
