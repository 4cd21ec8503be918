import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { close, event, signal } from '../../os/events.js'
import { until } from '../../os/own-thread.fixture.js'
import { Guest } from '../../testing/guest.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { VhostDevice } from '../vhost-device.js'
import { VhostWorker } from './index.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** The words that a device of these tests writes to, and an event. */
interface Data {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly fd: number
}

/** A device of one vring whose module has this text, taken, with a queue that runs. */
async function served(t: TestContext, text: string, data: Data, workers?: readonly VhostWorker[]) {
  const module = `data:text/javascript,${encodeURIComponent(text)}`
  const common = { name: 'hosted', workers: workers ?? 1, workerOptions: {} }
  const device = await VhostDevice.create({ module, data, ...common })
  const guest = new Guest()
  t.after(async () => {
    await device.release()
    guest.close()
  })
  await device.setOwner()
  await device.setMemory(guest.map())
  const queue = guest.queue()
  await device.startVring(0, queue.setup())
  return { device, queue }
}

function dataFor(t: TestContext): Data {
  const fd = event()
  t.after(() => close(fd))
  return { words: new Int32Array(new SharedArrayBuffer(16)), fd }
}

describe('what a device gets of its thread', { skip }, () => {
  test('tells the control instance, which has no requests, from the others', async (t) => {
    const data = dataFor(t)
    const text = `export default ({ words }, { isControl, name }) => {
      Atomics.add(words, isControl ? 0 : 1, 1)
      return { id: 1, process: ({ writable }) => writable.write(0, new TextEncoder().encode(name)) }
    }`
    const { queue } = await served(t, text, data)
    const used = await queue.send(new Uint8Array(1), 16)
    assert.equal(Buffer.from(used.data[0] ?? []).toString('utf8', 0, used.written), 'hosted-0')
    assert.deepEqual([...data.words.subarray(0, 2)], [1, 1])
  })

  test('changes the configuration in the control instance alone', async (t) => {
    const data = dataFor(t)
    const text = `export default ({ words }, host) => {
      if (!host.isControl) try { host.configChanged() } catch { Atomics.add(words, 0, 1) }
      return { id: 1, process: () => 0 }
    }`
    const { queue } = await served(t, text, data)
    await queue.send(new Uint8Array(1))
    assert.equal(data.words[0], 1)
  })

  test('hears of a descriptor while it is readable, and not after the watch is closed [VH-16]', async (t) => {
    const data = dataFor(t)
    const text = `export default ({ words, fd }, host) => {
      const watched = host.isControl ? null : host.watch(fd, () => Atomics.add(words, 0, 1))
      return { id: 1, process: () => { watched.close(); return 0 } }
    }`
    const { device, queue } = await served(t, text, data)
    assert.equal(data.words[0], 0)
    signal(data.fd)
    // Nobody takes the signal: it stays readable, and is told of at each look.
    await until('it was heard of twice', () => (data.words[0] ?? 0) >= 2)
    await queue.send(new Uint8Array(1))
    await device.flush()
    const heard = data.words[0]
    await queue.send(new Uint8Array(1))
    await device.flush()
    assert.equal(data.words[0], heard)
  })

  test('may sleep in a way of its own, one device for each worker', async (t) => {
    const data = dataFor(t)
    const text = `export default ({ words }, host) => {
      if (host.isControl) return { id: 1, process() {} }
      const wait = new Int32Array(new SharedArrayBuffer(4))
      // It looks every millisecond: a kick is seen by the look behind each sleep.
      host.sleepBy((fd, timeoutMs) => {
        Atomics.add(words, timeoutMs === 0 ? 1 : 0, 1)
        Atomics.wait(wait, 0, 0, Math.min(timeoutMs, 1))
        return true
      })
      return { id: 1, process: () => 0 }
    }`
    const worker = await VhostWorker.create({ name: 'sleeper' })
    t.after(async () => await worker.free())
    const { device, queue } = await served(t, text, data, [worker])
    await until('it has slept', () => (data.words[0] ?? 0) > 2)
    assert.equal((await queue.send(new Uint8Array(1))).written, 0)
    const second = served(t, text, data, [worker])
    await assert.rejects(second, /Another device of this worker has a wait of its own/)
    // The first is unharmed.
    assert.equal((await queue.send(new Uint8Array(1))).written, 0)
    await device.release()
  })
})

describe('a clean vhost worker', { skip }, () => {
  test('has nothing of its owner, and others have its environment [VH-7, VH-34]', async (t) => {
    process.env['USERWORKER_VHOST_TEST'] = 'inherited'
    t.after(() => delete process.env['USERWORKER_VHOST_TEST'])
    const text = `export default () => ({
      id: 1,
      process: ({ writable }) =>
        writable.write(0, new TextEncoder().encode(process.env.USERWORKER_VHOST_TEST ?? 'nothing')),
    })`
    for (const [clean, expected] of [
      [true, 'nothing'],
      [false, 'inherited'],
    ] as const) {
      const worker = await VhostWorker.create({ name: 'clean', clean })
      const { device, queue } = await served(t, text, dataFor(t), [worker])
      const used = await queue.send(new Uint8Array(1), 32)
      assert.equal(
        Buffer.from(used.data[0] ?? []).toString('utf8', 0, used.written),
        expected,
        `clean: ${clean}`,
      )
      await device.release()
      await worker.free()
    }
  })
})

describe('a vring that is to stop', { skip }, () => {
  test('has its device finish what it holds back', async (t) => {
    const text = `export default ({ words }, host) => {
      const held = []
      if (!host.isControl) host.onStop(() => {
        Atomics.add(words, 0, held.length)
        for (const each of held.splice(0)) each.complete(0)
      })
      return { id: 1, process: (request) => {
        held.push(request)
        Atomics.add(words, 1, 1)
      } }
    }`
    const data = dataFor(t)
    const { device, queue } = await served(t, text, data)
    const answers = [queue.send(new Uint8Array(1)), queue.send(new Uint8Array(1))]
    await until('both are held', () => Atomics.load(data.words, 1) === 2)
    assert.equal(await device.stopVring(0), 2)
    await Promise.all(answers)
    assert.equal(data.words[0], 2)
  })
})
