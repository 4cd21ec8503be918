import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setEnvironmentData } from '../os/thread.js'
import { until } from '../os/own-thread.fixture.js'
import { threadsOf } from '../os/proc.js'
import { checkForLeaks } from './leaks.fixture.js'
import { workerRows, table } from './table.js'
import { functionOf, moduleOf } from './module.fixture.js'
import { EINTR, UserWorker } from './index.js'

checkForLeaks()

const sevenAtOnce = functionOf('() => 7')
const untilStopped = functionOf(
  'async (data, self) => { while (!self.shouldStop()) await self.sleep(60000); return 7 }',
)

/** A shared word for a worker to count in. */
const counter = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))

describe('creation', () => {
  test('KT-2: create resolves with the module loaded and the function not called', async () => {
    const [loads, calls] = [counter(), counter()]
    setEnvironmentData('loads', loads)
    const worker = await UserWorker.create(
      moduleOf(`
        import { getEnvironmentData } from 'node:worker_threads'
        Atomics.add(getEnvironmentData('loads'), 0, 1)
        export default (calls) => { Atomics.add(calls, 0, 1) }`),
      { data: calls },
    )
    await sleep(30)
    assert.deepEqual([loads[0], calls[0], worker.state, worker.entered], [1, 0, 'created', false])
    assert.equal(await worker.stop(), EINTR)
    assert.equal(calls[0], 0)
  })

  test('KT-3: the function is called with the data, once, however often start is called', async () => {
    const calls = counter()
    const worker = await UserWorker.create(
      functionOf(
        'async ({ calls, code }, self) => { Atomics.add(calls, 0, 1); await self.sleep(50); return code }',
      ),
      { data: { calls, code: 5 } },
    )
    assert.deepEqual(await Promise.all([worker.start(), worker.start(), worker.start()]), [
      true,
      true,
      true,
    ])
    assert.equal(worker.entered, true)
    assert.equal(await worker.join(), 5)
    assert.equal(await worker.start(), true)
    assert.equal(calls[0], 1)
  })

  test('C-21: when start resolves, the function was entered', async () => {
    for (let round = 0; round < 20; round++) {
      const worker = await UserWorker.create(untilStopped)
      assert.equal(await worker.start(), true)
      assert.equal(worker.entered, true)
      assert.equal(await worker.stop(), 7)
    }
  })

  test('data is cloned, and what is in the transfer list is moved', async () => {
    const moved = new ArrayBuffer(8)
    const worker = await UserWorker.create(functionOf('({ moved }) => moved.byteLength'), {
      data: { moved },
      transfer: [moved],
    })
    assert.equal(moved.byteLength, 0)
    await worker.start()
    assert.equal(await worker.join(), 8)
  })

  test('the module may be CommonJS, and may be given as an absolute path', async () => {
    const worker = await UserWorker.create(new URL('./cjs.fixture.cjs', import.meta.url).pathname)
    assert.equal(worker.name, 'cjs.fixture')
    await worker.start()
    assert.equal(await worker.join(), 3)
  })

  test('env, argv and resource limits reach the thread', async () => {
    const worker = await UserWorker.create(
      moduleOf(`
        import { resourceLimits } from 'node:worker_threads'
        export default () => {
          if (process.env.COLOUR !== 'red' || process.argv[2] !== 'word') return 1
          return resourceLimits.maxOldGenerationSizeMb
        }`),
      { env: { COLOUR: 'red' }, argv: ['word'], resourceLimits: { maxOldGenerationSizeMb: 33 } },
    )
    await worker.start()
    assert.equal(await worker.join(), 33)
  })
})

describe('stopping', () => {
  test('KT-10: stop gives what the function returned, and 0 for nothing', async () => {
    for (const [text, code] of [
      ['() => 7', 7],
      ['() => {}', 0],
      ['async () => -4', -4],
      ['() => -2147483648', -2147483648],
    ]) {
      const worker = await UserWorker.create(functionOf(text as string))
      await worker.start()
      assert.equal(await worker.stop(), code)
      assert.equal(worker.entered, true, 'a function may itself return -4')
    }
  })

  test('KT-11: stop before the first start gives EINTR, and the function is never called', async () => {
    const worker = await UserWorker.create(sevenAtOnce)
    assert.equal(await worker.stop(), EINTR)
    assert.equal(worker.entered, false)
    assert.equal(await worker.start(), false, 'and a start afterwards says so')
  })

  test('BUG-KT-4: 100 rounds of create, start, stop: ran and gave its code, or did not and gave EINTR', async () => {
    const seen = { ran: 0, interrupted: 0 }
    for (let round = 0; round < 100; round++) {
      const calls = counter()
      const worker = await UserWorker.create(
        functionOf('({ calls }) => { Atomics.add(calls, 0, 1); return 7 }'),
        {
          data: { calls },
        },
      )
      const started = worker.start()
      // Three ways to race: at once, after the messages of this turn, after the function had time
      // to be entered.
      if (round % 3 === 1) await sleep(0)
      if (round % 3 === 2) await started
      const code = await worker.stop()
      const ran = calls[0] === 1
      assert.deepEqual(
        [code, worker.entered, await started],
        ran ? [7, true, true] : [EINTR, false, false],
      )
      seen[ran ? 'ran' : 'interrupted']++
    }
    assert.ok(seen.ran >= 33 && seen.interrupted >= 1, JSON.stringify(seen))
  })

  test('KT-12: stop after the function returned gives its code, at once and for ever', async () => {
    const worker = await UserWorker.create(functionOf('() => 42'))
    await worker.start()
    await worker.join()
    await sleep(20)
    for (let time = 0; time < 3; time++) assert.equal(await worker.stop(), 42)
    assert.deepEqual([worker.exitCode, worker.state, worker.error], [42, 'exited', null])
  })

  test('NP-3: a function that returns at the very moment of the stop gives its code, never EINTR', async () => {
    for (let round = 0; round < 36; round++) {
      const worker = await UserWorker.create(
        functionOf('async (ms, self) => { await self.sleep(ms); return 42 }'),
        {
          data: round % 4,
        },
      )
      await worker.start()
      if (round % 3 > 0) await sleep(round % 4)
      assert.equal(await worker.stop(), 42)
    }
  })

  test('KT-15: requestStop returns at once and the worker finishes its clean-up', async () => {
    const worker = await UserWorker.create(
      functionOf(`async (data, self) => {
        await self.sleep(60000)
        await new Promise((resolve) => setTimeout(resolve, 50))
        return self.shouldStop() ? 3 : 1
      }`),
    )
    await worker.start()
    worker.requestStop()
    worker.requestStop()
    assert.equal(worker.state, 'running')
    assert.equal(await worker.join(), 3)
    worker.requestStop()
  })

  test('KT-17, BUG-KT-3: any number of waiters get the same code, whenever they ask', async () => {
    const worker = await UserWorker.create(untilStopped)
    const early = [worker.join(), worker.join()]
    await worker.start()
    const waiters = [...early, worker.stop(), worker.join(), worker.stop()]
    assert.deepEqual(await Promise.all(waiters), [7, 7, 7, 7, 7])
    assert.equal(await worker.join(), 7)
  })

  test('S3-6: join resolves when the thread is gone, not when the function has returned', async () => {
    const gate = counter()
    const worker = await UserWorker.create(
      functionOf(`(gate) => { process.on('exit', () => Atomics.wait(gate, 0, 0)); return 1 }`),
      { data: gate },
    )
    await worker.start()
    let isJoined = false
    const joined = worker.join().finally(() => (isJoined = true))
    await until('its code is final', () => worker.state === 'exited')
    await sleep(30)
    assert.equal(isJoined, false)
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    assert.equal(await joined, 1)
    // To the system a thread is there for a moment after it was joined.
    const isThere = (): boolean => threadsOf().some(({ tid }) => tid === worker.osThreadId)
    await until('its thread is gone', () => !isThere())
  })

  test('KT-8: a stop of one worker does not show in another', async () => {
    const [a, b] = await Promise.all([
      UserWorker.create(untilStopped),
      UserWorker.create(untilStopped),
    ])
    await Promise.all([a.start(), b.start()])
    assert.equal(await a.stop(), 7)
    assert.equal(b.state, 'running')
    assert.equal(await b.stop(), 7)
  })

  test('KT-9, BUG-KT-5: a stop breaks a sleep in the event loop and a sleep that blocks the thread', async () => {
    for (const sleeping of ['await self.sleep(60000)', 'self.sleepSync(60000)']) {
      const worker = await UserWorker.create(functionOf(`async (data, self) => ${sleeping}`))
      await worker.start()
      await sleep(20)
      const begun = Date.now()
      assert.equal(await worker.stop(), EINTR, `${sleeping} gives EINTR, which is returned here`)
      assert.ok(Date.now() - begun < 10_000, 'it does not sleep on')
    }
  })

  test('a sleep that nothing breaks gives 0 after its time', async () => {
    const worker = await UserWorker.create(
      functionOf(`async (data, self) => {
        const begun = Date.now()
        const codes = [await self.sleep(20), self.sleepSync(20), await self.sleep(0), self.sleepSync(0)]
        return codes.every((code) => code === 0) && Date.now() - begun >= 38 ? 1 : 2
      }`),
    )
    await worker.start()
    assert.equal(await worker.join(), 1)
  })

  test('the signal is aborted by a stop, also by one that came before the function added its listener', async () => {
    for (let round = 0; round < 20; round++) {
      const worker = await UserWorker.create(
        functionOf(`async (data, self) => {
          while (data && !self.shouldStop());
          await new Promise((resolve) => self.signal.addEventListener('abort', resolve, { once: true }))
          return self.signal.aborted && self.shouldStop() ? 5 : 6
        }`),
        { data: round % 2 === 0 },
      )
      await worker.start()
      assert.equal(await worker.stop(), 5)
    }
  })

  test('await using stops the worker', async () => {
    let outside: UserWorker
    {
      await using worker = await UserWorker.create(untilStopped)
      outside = worker
      await worker.start()
    }
    assert.equal(outside.exitCode, 7)
  })
})

describe('killing', () => {
  test('kill ends a function in an endless loop with -9', async () => {
    const worker = await UserWorker.create(functionOf('() => { for (;;); }'))
    await worker.start()
    worker.kill()
    worker.kill()
    assert.equal(await worker.join(), -9)
    assert.equal((worker.error as { code?: string }).code, 'ERR_WORKER_KILLED')
  })

  test('INV-KT-1: a worker that was killed before its function was called gives EINTR', async () => {
    const worker = await UserWorker.create(sevenAtOnce)
    worker.kill()
    assert.equal(await worker.join(), EINTR)
    assert.equal(worker.entered, false)
    assert.equal(await worker.start(), false)
  })

  test('VH-26: stop wins over kill: a code that was final stays, whichever came first', async () => {
    const codes = new Set<number>()
    for (let round = 0; round < 36; round++) {
      const returned = counter()
      const worker = await UserWorker.create(
        functionOf(
          'async ({ returned }, self) => { await self.sleep(60000); Atomics.store(returned, 0, 1); return 7 }',
        ),
        { data: { returned } },
      )
      await worker.start()
      worker.requestStop()
      if (round % 2 === 0) await sleep(round % 4)
      if (round % 6 === 0) await until('its code is final', () => worker.state === 'exited')
      worker.kill()
      const code = await worker.join()
      codes.add(code)
      if (round % 6 === 0) assert.equal(code, 7, 'final before the kill')
      if (returned[0] === 0) assert.equal(code, -9, 'cut off before it returned')
    }
    for (const code of codes) assert.ok([7, -9].includes(code), `${code}`)
    assert.ok(codes.has(7) && codes.has(-9), `both ends were seen: ${[...codes].join(', ')}`)
  })

  test('a start answers true exactly when the function was entered, however the kill falls', async () => {
    for (let round = 0; round < 40; round++) {
      const worker = await UserWorker.create(functionOf('() => { for (;;); }'))
      const started = worker.start()
      if (round % 2 === 0) await sleep(0)
      worker.kill()
      const code = await worker.join()
      assert.deepEqual([await started, code], [worker.entered, worker.entered ? -9 : EINTR])
    }
  })

  test('any number of kills are one', async (t) => {
    const warnings: Error[] = []
    const warned = (warning: Error): void => {
      warnings.push(warning)
    }
    process.on('warning', warned)
    t.after(() => process.off('warning', warned))
    const worker = await UserWorker.create(functionOf('() => { for (;;); }'))
    await worker.start()
    for (let call = 0; call < 20; call++) worker.kill()
    assert.equal(await worker.join(), -9)
    assert.deepEqual(warnings, [])
  })

  test('kill of a worker that has exited has no effect', async () => {
    const worker = await UserWorker.create(sevenAtOnce)
    await worker.start()
    await worker.join()
    worker.kill()
    assert.equal(await worker.stop(), 7)
  })
})

test('after all of it the table is empty', () => {
  assert.deepEqual(workerRows(table()), [])
})
