import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'
import { allCpus, cpuSet } from '../os/limits.js'
import { plantTree } from '../os/tree.fixture.js'
import { EINTR, UserWorker } from './index.js'

checkForLeaks()

const idle = functionOf('(data, self) => self.sleepSync(60000) === -4 ? 7 : 1')
const own = cpuSet() ?? []
const [first = 0] = own

describe('the CPUs of a worker', () => {
  test('KT-6: are bound between creation and start, and seen from outside', async () => {
    const worker = await UserWorker.create(idle)
    assert.deepEqual(worker.describe().thread?.cpus, own)
    worker.bind([first])
    assert.deepEqual(worker.describe().thread?.cpus, [first])
    const listed = execFileSync('taskset', ['-pc', String(worker.osThreadId)], { encoding: 'utf8' })
    assert.match(listed, new RegExp(`: ${first}$`, 'm'))
    worker.bind('all')
    assert.deepEqual(worker.describe().thread?.cpus, own)
    await worker.start()
    assert.throws(() => worker.bind([first]), { code: 'EINVAL', message: /was started/ })
    assert.equal(await worker.stop(), 7)
    assert.throws(() => worker.bind([first]), { code: 'EINVAL' })
  })

  test('KT-6: may name CPUs that are not there beside one that is; alone they are refused', async () => {
    const worker = await UserWorker.create(idle, { cpus: [first, 4000] })
    assert.deepEqual(worker.describe().thread?.cpus, [first])
    assert.throws(() => worker.bind([4000]), { code: 'EINVAL', message: /may use none of/ })
    assert.equal(await worker.stop(), EINTR)
    await assert.rejects(UserWorker.create(idle, { cpus: [4000] }), { code: 'EINVAL' })
    for (const cpus of [[], [-1], [0.5], 'some', [9000]]) {
      const options = { cpus: cpus as number[] }
      await assert.rejects(UserWorker.create(idle, options), { code: 'EINVAL' })
    }
  })

  test('BUG-KT-6: are left alone by a stop of a worker that was never parked', async () => {
    const asked = new Int32Array(new SharedArrayBuffer(4))
    const worker = await UserWorker.create(
      functionOf(`(asked, self) => {
        while (!self.shouldStop()) self.sleepSync(60000)
        Atomics.store(asked, 0, 1)
        Atomics.wait(asked, 0, 1)
      }`),
      { data: asked, cpus: [first] },
    )
    await worker.start()
    worker.requestStop()
    while (Atomics.load(asked, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    assert.deepEqual(worker.describe().thread?.cpus, [first])
    Atomics.store(asked, 0, 2)
    Atomics.notify(asked, 0)
    assert.equal(await worker.join(), 0)
    const unstarted = await UserWorker.create(idle, { cpus: [first] })
    assert.equal(await unstarted.stop(), EINTR)
  })

  test('BUG-UW-9, KT-7: are those of its maker by default, however narrow, and all for who asks', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const module = JSON.stringify(idle.href)
    const script = `
      const { UserWorker } = await import(${index})
      for (const options of [{}, { cpus: 'all' }, { clean: true }]) {
        const worker = await UserWorker.create(${module}, options)
        console.log(worker.describe().thread.cpus.join())
        await worker.stop()
      }`
    const { code, out, err } = await runProgram(script, {}, ['taskset', '-c', String(first)])
    const all = (allCpus() ?? []).filter((cpu) => own.includes(cpu)).join()
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(out.trim().split('\n'), [String(first), all, all])
  })

  test('KT-6: are bound in a spare as in a thread of its own', async () => {
    await UserWorker.spares(1)
    const worker = await UserWorker.create(idle, { cpus: [first] })
    await UserWorker.spares(0)
    const { madeFrom, thread } = worker.describe()
    assert.deepEqual([madeFrom, thread?.cpus], ['spare', [first]])
    await worker.stop()
  })
})

describe('without the package koffi', () => {
  test('CPUs are refused with ENOTSUP, before there is a thread, and nothing else is', async (t) => {
    const manifest = { type: 'module', imports: { '#memory': './dist/os/memory.js' } }
    const root = plantTree(t, { 'package.json': JSON.stringify(manifest) })
    cpSync(fileURLToPath(new URL('..', import.meta.url)), join(root, 'dist'), { recursive: true })
    const index = JSON.stringify(pathToFileURL(join(root, 'dist/worker/index.js')).href)
    const { code, out, err } = await runProgram(`
      const { UserWorker } = await import(${index})
      const module = ${JSON.stringify(idle.href)}
      for (const cpus of [[${first}], 'all']) {
        await UserWorker.create(module, { cpus }).catch(({ code, message }) => console.log(code, message))
      }
      const worker = await UserWorker.create(module, { clean: true })
      try { worker.bind('all') } catch ({ code }) { console.log(code) }
      console.log(await worker.stop())`)
    assert.deepEqual([code, err], [0, ''])
    const refused =
      'ENOTSUP The CPUs of a thread can be set on Linux only, with the package koffi: npm install koffi'
    assert.deepEqual(out.trim().split('\n'), [refused, refused, 'ENOTSUP', String(EINTR)])
  })
})

describe('a clean identity', () => {
  test('KT-1: has nothing of its owner: no environment, no arguments, no options of Node', async () => {
    const module = moduleOf(`
      export default (data) => {
        const { env, argv, execArgv } = process
        return Object.keys(env).length + argv.length - 2 + execArgv.length === 0 ? 7 : 1
      }`)
    const worker = await UserWorker.create(module, { clean: true })
    await worker.start()
    assert.equal(await worker.join(), 7)
  })

  test('KT-1: may be given what it is to have', async () => {
    const module = functionOf(
      `() => (Object.entries(process.env).join() === 'A,1' && process.argv[2] === 'x' ? 7 : 1)`,
    )
    const worker = await UserWorker.create(module, { clean: true, env: { A: '1' }, argv: ['x'] })
    await worker.start()
    assert.equal(await worker.join(), 7)
  })
})
