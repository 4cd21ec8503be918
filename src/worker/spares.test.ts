import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkForLeaks } from './leaks.fixture.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { runProgram } from './program.fixture.js'
import { isIdle, until } from '../os/own-thread.fixture.js'
import { sampleThread, threadsOf } from '../os/proc.js'
import { UserWorker } from './index.js'

checkForLeaks()

const seven = functionOf('() => 7')

/** A worker that answers by its exit code whether this holds in its thread. */
async function holds(condition: string, options: object, data: unknown = null): Promise<boolean> {
  const module = functionOf(`(data, self) => (${condition}) ? 1 : 0`)
  const worker = await UserWorker.create(module, { data, ...options })
  assert.equal(worker.describe().madeFrom, 'spare')
  await worker.start()
  return (await worker.join()) === 1
}

/** The threads of ours that are there. */
const names = (): string[] =>
  threadsOf()
    .map((thread) => thread.name)
    .filter((name) => name.startsWith('uw:'))

const isIdleSpare = ({ name, tid }: { name: string; tid: number }): boolean =>
  name === 'uw:spare' && isIdle(tid)

describe('spares', () => {
  afterEach(async () => {
    await UserWorker.spares(0)
    await until('no thread of ours is left', () => names().length === 0)
  })

  test('are threads that wait, under a name of their own, and execute nothing (INV-UW-2)', async () => {
    assert.equal(await UserWorker.spares(2), 0)
    assert.deepEqual(names(), ['uw:spare', 'uw:spare'])
    const tid = threadsOf().find((thread) => thread.name === 'uw:spare')?.tid ?? 0
    await until('it sleeps', () => isIdle(tid))
    const used = sampleThread(tid)?.cpuMs
    await sleep(50)
    assert.equal(sampleThread(tid)?.cpuMs, used)
    assert.equal(await UserWorker.spares(0), 2)
  })

  test('become workers: the name is there at once, the thread is the one that was there', async () => {
    await UserWorker.spares(1)
    const spare = threadsOf().find((thread) => thread.name === 'uw:spare')
    const worker = await UserWorker.create(seven, { name: 'adopted', nice: 3 })
    assert.equal(worker.osThreadId, spare?.tid)
    const { name, nice } = sampleThread(spare?.tid ?? 0) ?? {}
    assert.deepEqual([name, nice, worker.describe().madeFrom], ['uw:adopted', 3, 'spare'])
    await worker.start()
    assert.equal(await worker.join(), 7)
  })

  test('are made anew when they were taken', async () => {
    await UserWorker.spares(1)
    for (let round = 0; round < 3; round++) {
      await until('a spare is idle', () => threadsOf().some(isIdleSpare))
      await sleep(50)
      const worker = await UserWorker.create(seven)
      assert.equal(worker.describe().madeFrom, 'spare')
      await worker.stop()
    }
  })

  test('become one worker each, also when data makes a worker while it is cloned', async () => {
    await UserWorker.spares(2)
    const inner: Promise<UserWorker>[] = []
    const data = {
      get makesAnother() {
        return inner.push(UserWorker.create(seven, { name: 'inner' }))
      },
    }
    const outer = await UserWorker.create(functionOf('() => 8'), { name: 'outer', data })
    const both = [outer, ...(await Promise.all(inner))]
    await Promise.all(both.map((worker) => worker.start()))
    assert.deepEqual(await Promise.all(both.map((worker) => worker.join())), [8, 7])
  })

  test('get numbers like other workers: counted up, and never given twice', async () => {
    await UserWorker.spares(2)
    const ids: number[] = []
    for (let round = 0; round < 3; round++) {
      const worker = await UserWorker.create(seven)
      ids.push(worker.id)
      await worker.stop()
    }
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    )
  })

  test('INV-UW-3: have the environment and the arguments of the worker, not of their birth', async () => {
    process.env['SPARE_TEST_OLD'] = 'old'
    process.env['SPARE_TEST'] = 'then'
    await UserWorker.spares(3)
    delete process.env['SPARE_TEST_OLD']
    process.env['SPARE_TEST'] = 'now'
    try {
      const as = `process.env.SPARE_TEST === 'now' && !('SPARE_TEST_OLD' in process.env)`
      assert.ok(await holds(`${as} && process.env.PATH === data`, {}, process.env['PATH']))
      const own = { env: { OWN: '1' }, argv: ['a', 'b'] }
      assert.ok(
        await holds(
          `Object.keys(process.env).join() === 'OWN' && process.argv.slice(2).join() === 'a,b'`,
          own,
        ),
      )
    } finally {
      delete process.env['SPARE_TEST']
    }
  })

  test('serve only workers with the same options that cannot change once a thread runs', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 50 }
    await UserWorker.spares(1)
    await UserWorker.spares(1, { resourceLimits })
    const other = await UserWorker.create(seven, { resourceLimits: { maxOldGenerationSizeMb: 60 } })
    const flagged = await UserWorker.create(seven, { execArgv: ['--no-warnings'] })
    assert.deepEqual(
      [other, flagged].map((worker) => worker.describe().madeFrom),
      ['thread', 'thread'],
    )
    const limited = await UserWorker.create(
      moduleOf(`
        import { resourceLimits } from 'node:worker_threads'
        export default () => resourceLimits.maxOldGenerationSizeMb`),
      { resourceLimits },
    )
    assert.equal(limited.describe().madeFrom, 'spare')
    await limited.start()
    assert.equal(await limited.join(), 50)
    await Promise.all([other.stop(), flagged.stop()])
    assert.equal(await UserWorker.spares(0, { resourceLimits }), 1)
  })

  test('serve workers with the same limits, in whatever order these are written', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 50, stackSizeMb: 2 }
    await UserWorker.spares(1, { resourceLimits })
    const turned = { stackSizeMb: 2, maxOldGenerationSizeMb: 50 }
    const worker = await UserWorker.create(seven, { resourceLimits: turned })
    assert.equal(worker.describe().madeFrom, 'spare')
    await worker.stop()
    assert.equal(await UserWorker.spares(0, { resourceLimits: turned }), 1)
  })

  test('do not serve where Node would have booted the thread in another way', async () => {
    const debugs = functionOf(`async () => {
      const { debuglog } = await import('node:util')
      return debuglog('some').enabled ? 1 : 0
    }`)
    await UserWorker.spares(1, { env: { NODE_ENV: 'one' } })
    const made = await UserWorker.create(debugs, { env: { NODE_ENV: 'two', NODE_DEBUG: 'some' } })
    await made.start()
    assert.deepEqual([await made.join(), made.describe().madeFrom], [1, 'thread'])
    const adopted = await UserWorker.create(debugs, { env: { NODE_ENV: 'two' } })
    await adopted.start()
    assert.deepEqual([await adopted.join(), adopted.describe().madeFrom], [0, 'spare'])
    assert.equal(await UserWorker.spares(0, { env: {} }), 1)
  })

  test('serve where what Node reads as it boots is empty as they serve where it is not set', async () => {
    await UserWorker.spares(1, { env: {} })
    const empty = { NODE_OPTIONS: '', NODE_PATH: '', NODE_DEBUG: '' }
    const worker = await UserWorker.create(seven, { env: empty })
    assert.equal(worker.describe().madeFrom, 'spare')
    await worker.stop()
    assert.equal(await UserWorker.spares(0, { env: empty }), 1)
  })

  test('survive data that cannot be sent, and serve the next worker', async () => {
    await UserWorker.spares(1)
    const data = { no: () => {} }
    await assert.rejects(UserWorker.create(seven, { data }), { code: 'ERR_NOT_CLONEABLE' })
    const worker = await UserWorker.create(seven)
    assert.equal(worker.describe().madeFrom, 'spare')
    await worker.stop()
  })

  test('refuse an environment that cannot be read, as without spares', async () => {
    for (const count of [0, 1]) {
      await UserWorker.spares(count)
      for (const env of [
        { KEY: Symbol('no text') as never },
        new Proxy({}, { ownKeys: () => assert.fail('a trap') }),
      ]) {
        const refusal = { name: 'TypeError', code: 'EINVAL' }
        await assert.rejects(UserWorker.create(seven, { env }), refusal)
      }
    }
  })

  test('end with the module they were to load, like any thread, when it is no good', async () => {
    await UserWorker.spares(1)
    const bad = moduleOf('throw new Error("no good")')
    await assert.rejects(UserWorker.create(bad), { code: 'ERR_MODULE_LOAD' })
    const worker = await UserWorker.create(seven)
    await worker.start()
    assert.equal(await worker.join(), 7)
  })

  test('that die while they boot are an error with its cause, and none of them is left', async () => {
    for (const [text, code] of [
      ['process.exit(3)', 'ERR_WORKER_EXITED'],
      ["throw new Error('at boot')", 'ERR_WORKER_DIED'],
    ] as const) {
      const execArgv = ['--import', moduleOf(text).href]
      await assert.rejects(UserWorker.spares(2, { execArgv }), { code })
      assert.equal(await UserWorker.spares(0, { execArgv }), 2)
    }
  })

  test('that never boot are given up when fewer are wanted, and nobody waits for them', async () => {
    const preload = moduleOf('setInterval(() => {}, 1000); await new Promise(() => {})')
    const execArgv = ['--import', preload.href]
    const waits = [UserWorker.spares(3, { execArgv }), UserWorker.spares(2, { execArgv })]
    assert.equal(await UserWorker.spares(0, { execArgv }), 2)
    assert.deepEqual(await Promise.all(waits), [0, 3])
  })

  test('that are wanted again at once are made anew', async () => {
    const counts = [UserWorker.spares(2), UserWorker.spares(0), UserWorker.spares(1)]
    assert.deepEqual(await Promise.all(counts), [0, 2, 0])
    const worker = await UserWorker.create(seven)
    assert.equal(worker.describe().madeFrom, 'spare')
    await worker.stop()
  })

  test('are refused with EINVAL where the count or the options are wrong', async () => {
    for (const count of [-1, 0.5, 1025, Number.NaN, '1']) {
      await assert.rejects(UserWorker.spares(count as number), { code: 'EINVAL' })
    }
    await assert.rejects(UserWorker.spares(1, { name: 'x' } as never), {
      code: 'EINVAL',
      message: /there is no option 'name'/,
    })
  })
})

describe('a process with spares', () => {
  test('survives one that dies while it boots when the next could not be made', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const preload = JSON.stringify(moduleOf('process.exit(3)').href)
    const { code, out, err } = await runProgram(
      `const { UserWorker } = await import(${index})
      let read = 0
      // Node reads the environment once for each thread.
      const env = { get VALUE() { if (++read === 3) throw new Error('no third one'); return '' } }
      const spares = UserWorker.spares(4, { env, execArgv: ['--import', ${preload}] })
      console.log(await spares.catch((error) => error.message))
      await new Promise((resolve) => setTimeout(resolve, 500))`,
    )
    assert.match(out, /no third one/)
    assert.deepEqual([code, err], [0, ''])
  })

  test('ends by itself, with the spares idle, or booting', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    for (const wait of ['await ', 'void ']) {
      const { code, err } = await runProgram(
        `const { UserWorker } = await import(${index}); ${wait}UserWorker.spares(2)`,
      )
      assert.deepEqual([code, err], [0, ''], wait)
    }
  })
})
