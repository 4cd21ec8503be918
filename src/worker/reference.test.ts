import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from './leaks.fixture.js'
import { moduleOf } from './module.fixture.js'
import { nextTurn } from '../os/clock.js'
import { MessageChannel } from '../os/thread.js'
import { runProgram } from './program.fixture.js'
import { EINTR, UserWorker, WorkerReference } from './index.js'
import { offerReference } from './reference.js'

checkForLeaks()

const inside = JSON.stringify(new URL('./inside.js', import.meta.url).href)

/**
 * A worker that gets ports of references as messages, and stops the worker behind each. It returns
 * what came of the last: an exit code, or 100 after EDEADLK.
 */
const stopper = moduleOf(`
  import { WorkerReference } from ${inside}
  export default async ({ port, arrived }, self) => {
    const outcome = await new Promise((resolve) => {
      port.once('message', async (given) => {
        const other = new WorkerReference(given)
        try {
          const ended = other.stop()
          Atomics.add(arrived, 0, 1)
          Atomics.notify(arrived, 0)
          resolve(await ended)
        } catch (error) {
          resolve(error.code === 'EDEADLK' ? 100 : -1)
        }
      })
    })
    port.close()
    return outcome
  }`)

interface Stopper {
  readonly worker: UserWorker
  /** Has it stop another. */
  stop(other: UserWorker): void
  /** How many stops it has called that were not refused at once. */
  readonly arrived: Int32Array
}

async function stopping(name: string): Promise<Stopper> {
  const { port1, port2 } = new MessageChannel()
  const arrived = new Int32Array(new SharedArrayBuffer(4))
  const worker = await UserWorker.create(stopper, {
    name,
    data: { port: port2, arrived },
    transfer: [port2],
  })
  await worker.start()
  port1.unref()
  const stop = (other: UserWorker): void => {
    const reference = other.reference()
    port1.postMessage(reference, [reference])
  }
  return { worker, stop, arrived }
}

const sleeper = moduleOf(`
  export default async (data, self) => {
    while (!self.shouldStop()) await self.sleep(60000)
    return 7
  }`)

describe('a reference', () => {
  test('KT-14: lets a worker stop one that it did not make, and see its code', async () => {
    const asleep = await UserWorker.create(sleeper)
    await asleep.start()
    const one = await stopping('one')
    one.stop(asleep)
    assert.equal(await one.worker.join(), 7)
    assert.equal(await asleep.join(), 7)
  })

  test('KT-12: of a worker that has exited gives its code', async () => {
    const gone = await UserWorker.create(sleeper)
    await gone.start()
    const port = gone.reference()
    assert.equal(await gone.stop(), 7)
    const reference = new WorkerReference(port)
    assert.deepEqual([reference.name, reference.id], [gone.name, gone.id])
    assert.equal(await reference.join(), 7)
    assert.equal(await reference.stop(), 7)
    assert.equal(reference.exitCode, 7)
    reference.wake()
    const late = new WorkerReference(gone.reference())
    assert.equal(await late.stop(), 7)
  })

  test('wakes its worker', async () => {
    const worker = await UserWorker.create(
      moduleOf('export default async (data, self) => ((await self.sleep(60000)) > 0 ? 4 : 1)'),
    )
    await worker.start()
    const reference = new WorkerReference(worker.reference())
    reference.wake()
    assert.equal(await reference.join(), 4)
  })

  test('KT-18: held by a plain thread of a worker, and ended with it, leaves no wait behind', async () => {
    const one = await stopping('one')
    const waited = one.worker.reference()
    const text = `
      const { parentPort, workerData } = require('node:worker_threads')
      import(${inside}).then(({ WorkerReference }) => {
        void new WorkerReference(workerData).join()
        parentPort.postMessage('waits')
      })`
    const maker = await UserWorker.create(
      moduleOf(`
        import { Worker } from 'node:worker_threads'
        export default async (waited, self) => {
          const options = { eval: true, workerData: waited, transferList: [waited] }
          const thread = new Worker(${JSON.stringify(text)}, options)
          await new Promise((resolve) => thread.once('message', resolve))
          await thread.terminate()
          return (await self.sleep(60000)) === -4 ? 5 : 1
        }`),
      { data: waited, transfer: [waited] },
    )
    await maker.start()
    while (maker.describe().waitsFor !== 'sleep') await nextTurn()
    assert.deepEqual(maker.describe().joins, [])
    one.stop(maker)
    assert.equal(await one.worker.join(), 5)
  })

  test('of a worker in a table of its own, made by an older thread, is not taken for another worker', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const maker = `
      const { parentPort } = require('node:worker_threads')
      parentPort.once('message', async () => {
        const { UserWorker } = await import(${index})
        const worker = await UserWorker.create(${JSON.stringify(sleeper.href)})
        await worker.start()
        const port = worker.reference()
        parentPort.postMessage({ id: worker.id, port }, [port])
        await worker.join()
      })`
    const stopsIt = moduleOf(`
      import { WorkerReference } from ${inside}
      export default async ({ id, port }, self) =>
        self.id === id ? (await new WorkerReference(port).stop()) + 100 : 1`)
    const { code, out, err } = await runProgram(`
      import { Worker } from 'node:worker_threads'
      const older = new Worker(${JSON.stringify(maker)}, { eval: true, execArgv: [] })
      await new Promise((resolve) => older.once('online', resolve))
      const { UserWorker } = await import(${index})
      older.postMessage('make')
      const data = await new Promise((resolve) => older.once('message', resolve))
      const worker = await UserWorker.create(${JSON.stringify(stopsIt.href)}, { data, transfer: [data.port] })
      await worker.start()
      console.log(await worker.join())`)
    assert.deepEqual([code, out, err], [0, '107\n', ''])
  })

  test('hears nothing in what others post through its port', async () => {
    const worker = await UserWorker.create(
      moduleOf('export default async (data, self) => ((await self.sleep(200)) === 0 ? 4 : 1)'),
    )
    await worker.start()
    const port = worker.reference()
    for (const junk of [null, undefined, 'stop', {}, { type: 'other' }]) port.postMessage(junk)
    assert.equal(await worker.join(), 4)
    assert.equal(await new WorkerReference(port).join(), 4)
  })

  test('that was closed is forgotten, long before its worker ends', async () => {
    const listeners = new Set<unknown>()
    const exits = {
      onExit: (listener: unknown) => listeners.add(listener),
      unwatch: (listener: unknown) => listeners.delete(listener),
    }
    const worker = { id: 1, name: 'some', requestStop() {}, wake() {} }
    const port = offerReference(worker, exits)
    assert.equal(listeners.size, 1)
    port.close()
    while (listeners.size > 0) await nextTurn()
  })

  test('settles when the owner of its worker ends and takes the worker along', async () => {
    const owner = await UserWorker.create(
      moduleOf(`
        import { UserWorker } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
        export default async ({ port, sleeper }, self) => {
          const below = await UserWorker.create(sleeper, { name: 'below' })
          await below.start()
          const reference = below.reference()
          port.postMessage(reference, [reference])
          await self.sleep(60000)
        }`),
      await (async () => {
        const { port1, port2 } = new MessageChannel()
        given = new Promise((resolve) => {
          port1.once('message', (port) => {
            port1.close()
            resolve(port)
          })
        })
        return { data: { port: port2, sleeper: sleeper.href }, transfer: [port2] }
      })(),
    )
    await owner.start()
    const reference = new WorkerReference(await given)
    const ended = reference.join()
    owner.kill()
    assert.equal(await ended, -9)
    await owner.join()
  })

  test('is refused where the port is no such port', () => {
    const { port1 } = new MessageChannel()
    for (const port of [port1, {}, undefined]) {
      assert.throws(() => new WorkerReference(port as never), { code: 'EINVAL' })
    }
    port1.close()
  })
})

let given: Promise<never> = Promise.resolve(undefined as never)

describe('a stop that could never finish', () => {
  test('KT-18: of oneself is refused with EDEADLK, and is not even requested', async () => {
    const one = await stopping('one')
    one.stop(one.worker)
    assert.equal(await one.worker.join(), 100)
    assert.equal(one.worker.describe().stopRequested, false)
  })

  test('KT-18: by a cycle of three is refused to the one who would close it', async () => {
    const [a, b, c] = [await stopping('a'), await stopping('b'), await stopping('c')]
    for (const [from, to] of [
      [a, b],
      [b, c],
    ] as const) {
      from.stop(to.worker)
      while (Atomics.load(from.arrived, 0) === 0) {
        await new Promise((resolve) => {
          setTimeout(resolve, 1)
        })
      }
    }
    c.stop(a.worker)
    assert.equal(await c.worker.join(), 100)
    assert.deepEqual([await b.worker.join(), await a.worker.join()], [100, 100])
  })

  test('KT-18: by a worker and its own maker is seen as well', async () => {
    const maker = moduleOf(`
      import { UserWorker } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
      export default async ({ stopper, port, channel }, self) => {
        const { MessageChannel } = await import('node:worker_threads')
        const { port1, port2 } = new MessageChannel()
        const arrived = new Int32Array(new SharedArrayBuffer(4))
        const below = await UserWorker.create(stopper, { data: { port: port2, arrived }, transfer: [port2] })
        await below.start()
        const ended = below.stop()
        port1.postMessage(port, [port])
        const code = await ended
        port1.close()
        return code
      }`)
    const { port1, port2 } = new MessageChannel()
    const worker = await UserWorker.create(
      moduleOf(`
        import maker from ${JSON.stringify(maker.href)}
        export default async (data, self) => {
          const port = await new Promise((resolve) => data.channel.once('message', resolve))
          data.channel.close()
          return maker({ ...data, port }, self)
        }`),
      { data: { stopper: stopper.href, channel: port2 }, transfer: [port2] },
    )
    await worker.start()
    const reference = worker.reference()
    port1.postMessage(reference, [reference])
    assert.equal(await worker.join(), 100)
    port1.close()
  })

  test('is not seen in what a plain thread waits for, which one of them made', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const [a, b] = [await stopping('a'), await stopping('b')]
    // Its plain thread waits for b; a itself does not.
    const raw = `import(${index}).then(async ({ WorkerReference }) => {
      const reference = new WorkerReference(require('node:worker_threads').workerData)
      void reference.join()
      require('node:worker_threads').parentPort.postMessage(0)
      setInterval(() => {}, 1000)
    })`
    const middle = await UserWorker.create(
      moduleOf(`
        import { Worker } from 'node:worker_threads'
        export default async ({ port, ready }, self) => {
          const raw = new Worker(${JSON.stringify(raw)}, { eval: true, workerData: port, transferList: [port] })
          await new Promise((resolve) => raw.once('message', resolve))
          Atomics.store(ready, 0, 1)
          while (!self.shouldStop()) await self.sleep(60000)
          await raw.terminate()
          return 5
        }`),
      await (async () => {
        const port = b.worker.reference()
        return { data: { port, ready: a.arrived }, transfer: [port] }
      })(),
    )
    await middle.start()
    while (Atomics.load(a.arrived, 0) === 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1)
      })
    }
    b.stop(middle)
    assert.equal(await b.worker.join(), 5)
    a.stop(middle)
    assert.equal(await a.worker.join(), 5)
  })

  test('is no matter for the main thread, whose end nobody waits for', async () => {
    const worker = await UserWorker.create(sleeper)
    assert.deepEqual(await Promise.all([worker.stop(), worker.stop(), worker.join()]), [
      EINTR,
      EINTR,
      EINTR,
    ])
  })
})
