import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { threadsOf } from '../os/proc.js'
import { until } from '../os/own-thread.fixture.js'
import { descriptors, checkForLeaks } from '../worker/leaks.fixture.js'
import { Owner } from '../worker/index.js'
import { asking, Serve, Word } from './device.fixture.js'
import { newDevice, takenDevice } from './device-under-test.fixture.js'
import { VhostDevice } from './vhost-device.js'
import { VhostWorker } from './worker/index.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

const ours = (): string[] =>
  threadsOf()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('uw:'))

describe('the owner of a device', { skip }, () => {
  test('is one: a second one is refused with EBUSY until the first has left [VH-1, VH-5]', async (t) => {
    const { device } = await newDevice(t)
    assert.equal(device.isOwned, false)
    const taking = device.setOwner()
    await assert.rejects(device.setOwner(), { code: 'EBUSY' })
    await taking
    await assert.rejects(device.setOwner(), { code: 'EBUSY' })
    assert.equal(device.isOwned, true)
    const leaving = device.resetOwner()
    await assert.rejects(device.setOwner(), { code: 'EBUSY' })
    await leaving
    await device.setOwner()
    assert.equal(device.isOwned, true)
  })

  test('gets the workers, each with an instance, and all vrings have one [VH-2, INV-VH-9]', async (t) => {
    const { device, words } = await newDevice(t, { vrings: 3, workers: 2 })
    assert.equal(device.workerOf(0), null)
    assert.deepEqual(ours(), [])
    await device.setOwner()
    assert.equal(words[Word.OPENED], 2)
    assert.deepEqual(ours().sort(), ['uw:dev-0', 'uw:dev-1'])
    const workers = [0, 1, 2].map((vring) => device.workerOf(vring)?.name)
    assert.deepEqual(workers, ['dev-0', 'dev-1', 'dev-0'])
    // Threads of this process, and no process of their own.
    assert.deepEqual(readdirSync(`/proc/${process.pid}/task`).length > 2, true)
    assert.ok(threadsOf().every(({ pid }) => pid === process.pid))
  })

  test('is none where a worker cannot be had: no thread and no descriptor is left [VH-2]', async (t) => {
    const { device, words } = await newDevice(t, { workers: 2 })
    await device.setOwner()
    await device.resetOwner()
    await until('the threads are gone', () => ours().length === 0)
    const before = descriptors()
    Atomics.store(words, Word.REFUSE, 1)
    for (let round = 0; round < 3; round++) {
      await assert.rejects(device.setOwner(), /This device is not to be had/)
      assert.equal(device.isOwned, false)
    }
    await until('the threads are gone', () => ours().length === 0)
    await until('the descriptors are closed', () =>
      [...descriptors()].every(([kind, count]) => count <= (before.get(kind) ?? 0)),
    )
    Atomics.store(words, Word.REFUSE, 0)
    await device.setOwner()
  })

  test('that leaves takes its vrings, its workers and the memory along, and another may come [VH-5]', async (t) => {
    const { device, guest, words } = await takenDevice(t, { vrings: 2, workers: 2 })
    const first = guest.queue()
    await device.startVring(0, first.setup())
    assert.equal((await first.send(asking(Serve.NOW))).written, 8)
    const underWay = first.send(asking(Serve.PROMISE, 20))
    await until('it is under way', () => words[Word.CALLS] === 2)
    await device.resetOwner()
    assert.equal((await underWay).written, 8, 'what is under way is finished before')
    assert.deepEqual([words[Word.OPENED], words[Word.CLOSED]], [2, 2])
    assert.equal(device.workerOf(0), null)
    await assert.rejects(device.startVring(0, first.setup()), { code: 'ENODEV' })
    await device.setOwner()
    await assert.rejects(device.startVring(0, first.setup()), /not in the memory/)
    await device.setMemory(guest.map())
    await device.startVring(0, first.setup({ base: 2 }))
    assert.equal((await first.send(asking(Serve.NOW))).written, 8)
  })

  test('may go while it comes, as a frontend does that hangs up at once', async (t) => {
    const { device, words } = await newDevice(t, { workers: 2 })
    const taking = device.setOwner()
    await device.resetOwner()
    await taking
    assert.equal(device.isOwned, false)
    assert.equal(words[Word.OPENED], words[Word.CLOSED])
    await until('the threads are gone', () => ours().length === 0)
  })
})

describe('the release of a device', { skip }, () => {
  test('leaves nothing, also of workers that were made and forgotten [VH-6, INV-VH-7]', async (t) => {
    const { device, guest, words } = await takenDevice(t)
    const before = descriptors()
    const forgotten = await device.newWorker({ name: 'forgotten' })
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    const underWay = queue.send(asking(Serve.LATER, 10))
    await until('it is under way', () => words[Word.CALLS] === 1)
    await Promise.all([device.release(), device.release(), device.resetOwner()])
    await underWay
    assert.notEqual(forgotten.thread.exitCode, null)
    await until('the threads are gone', () => ours().length === 0)
    await assert.rejects(device.setOwner(), { code: 'ENOSYS' })
    assert.ok(
      (descriptors().get('anon_inode:[eventpoll]') ?? 0) <=
        (before.get('anon_inode:[eventpoll]') ?? 0),
    )
  })

  test('leaves nothing where the device does not close, and says so', async (t) => {
    const { device, words } = await takenDevice(t, { workers: 2 })
    Atomics.store(words, Word.BAD_CLOSE, 1)
    await assert.rejects(device.release(), /This device does not close/)
    assert.equal(device.isOwned, false)
    await until('the threads are gone', () => ours().length === 0)
  })

  test('leaves no descriptor and no thread in fifty rounds of taking and leaving [VH-6]', async (t) => {
    const { device, guest } = await newDevice(t)
    const queue = guest.queue()
    let before = descriptors()
    for (let round = 0; round < 50; round++) {
      if (round === 2) before = descriptors()
      await device.setOwner()
      await device.setMemory(guest.map())
      await device.startVring(0, queue.setup({ base: round }))
      assert.equal((await queue.send(asking(Serve.NOW))).written, 8)
      if (round % 2 === 0) assert.equal(await device.stopVring(0), round + 1)
      await device.resetOwner()
    }
    await until('all is closed', () =>
      [...descriptors()].every(([kind, count]) => count <= (before.get(kind) ?? 0)),
    )
  })
})

describe('the workers of a device', { skip }, () => {
  test('are made, attached and freed at run time [VH-30, VH-32, VH-33]', async (t) => {
    const { device, guest } = await takenDevice(t, { vrings: 2 })
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    const before = device.workerOf(0)
    const worker = await device.newWorker({ name: 'second' })
    assert.equal(device.workerOf(0), before)
    await device.attach(0, worker)
    assert.deepEqual([device.workerOf(0), device.workerOf(1)], [worker, before])
    assert.equal((await queue.send(asking(Serve.NOW))).written, 8)
    await device.attach(0, worker)
    await device.attach(1, worker)
    await device.freeWorker(before ?? assert.fail())
    assert.equal(before?.thread.exitCode, 0)
    assert.equal((await queue.send(asking(Serve.NOW))).written, 8)
    assert.equal(await device.stopVring(0), 2)
  })

  test('are refused with ENODEV, ENOBUFS and EBUSY where they cannot be [VH-31, VH-32, VH-33]', async (t) => {
    const { device } = await newDevice(t, { vrings: 2 })
    const stranger = await VhostWorker.create({ name: 'stranger' })
    await assert.rejects(device.newWorker({}), { code: 'ENODEV' })
    await assert.rejects(device.attach(0, stranger), { code: 'ENODEV' })
    assert.throws(() => device.workerOf(2), { code: 'ENOBUFS' })
    await device.setOwner()
    const own = device.workerOf(0) ?? assert.fail()
    await assert.rejects(device.attach(2, own), { code: 'ENOBUFS' })
    await assert.rejects(device.startVring(-1, {} as never), { code: 'ENOBUFS' })
    await assert.rejects(device.freeWorker(own), { code: 'EBUSY', message: /vrings 0, 1/ })
    await assert.rejects(device.freeWorker(stranger), { code: 'ENODEV' })
    await device.attach(1, stranger)
    await assert.rejects(stranger.free(), { code: 'EBUSY', message: /1 device/ })
    await device.resetOwner()
    await stranger.free()
    await assert.rejects(stranger.free(), { code: 'ENODEV' })
    await device.setOwner()
    await assert.rejects(device.attach(0, stranger), { code: 'ENODEV' })
  })

  test('count against the limits of their owner: EAGAIN, and nothing is left [VH-30, UW-9]', async (t) => {
    const owner = new Owner({ name: 'small', limits: { workers: 2 } })
    const { device } = await newDevice(t, { workers: 3, workerOptions: { owner } })
    await assert.rejects(device.setOwner(), { code: 'EAGAIN' })
    assert.deepEqual(owner.workers(), [])
    owner.setLimits({ workers: 4 })
    await device.setOwner()
    await device.newWorker({ owner })
    await assert.rejects(device.newWorker({ owner }), { code: 'EAGAIN' })
    assert.equal(owner.workers().length, 4)
    await device.release()
    assert.deepEqual(owner.workers(), [])
  })

  test('serve the requests of a vring in order and one at a time, however it moves [INV-VH-3, VH-32]', async (t) => {
    const { device, guest, of } = await takenDevice(t, { vrings: 2, workers: 2 })
    const queues = [guest.queue(), guest.queue()]
    const workers = [device.workerOf(0), device.workerOf(1)].map((each) => each ?? assert.fail())
    for (const [index, queue] of queues.entries()) await device.startVring(index, queue.setup())
    const storm = { moves: 60, moved: 0 }
    const senders = queues.map(async (queue) => {
      let number = 0
      do {
        const batch = Array.from({ length: 20 }, () => queue.send(asking(Serve.NOW, 0, ++number)))
        for (const { written } of await Promise.all(batch)) assert.equal(written, 8)
      } while (storm.moved < storm.moves)
      return number
    })
    for (; storm.moved < storm.moves; storm.moved++) {
      await Promise.all(
        [0, 1].map((vring) =>
          device.attach(vring, workers[(storm.moved + vring) % 2] as VhostWorker),
        ),
      )
    }
    for (const [vring, sender] of senders.entries()) {
      const sent = await sender
      assert.ok(sent > 0)
      assert.deepEqual(
        [of(vring, 'requests'), of(vring, 'overlaps'), of(vring, 'disorder')],
        [sent, 0, 0],
      )
      assert.equal(await device.stopVring(vring), sent & 0xffff)
    }
  })

  test('serve two vrings at once, each in its thread [BUG-VH-11]', async (t) => {
    const { device, guest, words } = await takenDevice(t, { vrings: 2, workers: 2 })
    const queues = [guest.queue(), guest.queue()]
    for (const [index, queue] of queues.entries()) await device.startVring(index, queue.setup())
    const slow = queues[0]?.send(asking(Serve.SLOW, 250))
    await until('the first thread is busy', () => words[Word.CALLS] === 1)
    let isSlowDone = false
    void slow?.then(() => (isSlowDone = true))
    await queues[1]?.send(asking(Serve.NOW))
    assert.equal(isSlowDone, false, 'the second waits for the first')
    await slow
  })

  test('hear of what is sent while they come and while their vrings begin [BUG-VH-10]', async (t) => {
    const { device, guest } = await newDevice(t)
    const queue = guest.queue({ size: 4096 })
    const sent = [queue.send(asking(Serve.NOW))]
    const kicking = setInterval(() => sent.push(queue.send(asking(Serve.NOW))), 2)
    try {
      await device.setOwner()
      await device.setMemory(guest.map())
      await device.startVring(0, queue.setup())
    } finally {
      clearInterval(kicking)
    }
    sent.push(queue.send(asking(Serve.NOW)))
    for (const { written } of await Promise.all(sent)) assert.equal(written, 8)
  })

  test('are shared by devices of two kinds, which do not hear of each other', async (t) => {
    const worker = await VhostWorker.create({ name: 'shared' })
    const disk = await takenDevice(t, { workers: [worker], name: 'disk' })
    const entropy = await takenDevice(t, {
      workers: [worker],
      name: 'rng',
      module: `data:text/javascript,export default () => ({
        id: 4, process: ({ writable }) => writable.fill(0, writable.length, 7) })`,
    })
    assert.deepEqual([disk.device.id, entropy.device.id, worker.devices], [42, 4, 2])
    const queues = [disk, entropy].map(({ guest }) => guest.queue())
    await Promise.all(
      [disk, entropy].map(({ device }, at) =>
        device.startVring(0, queues[at]?.setup() ?? assert.fail()),
      ),
    )
    const broken = queues[0]?.send(asking(Serve.THROW))
    const used = await queues[1]?.send(new Uint8Array(1), 3)
    assert.deepEqual([...(used?.data[0] ?? [])], [7, 7, 7])
    await until('the broken one is told of', () => disk.told.length === 1)
    void broken
    await disk.device.release()
    assert.equal((await queues[1]?.send(new Uint8Array(1), 3))?.written, 3)
    await entropy.device.release()
    assert.equal(worker.devices, 0)
    await worker.free()
  })

  test('that ends by itself is told of, and its vrings stand', async (t) => {
    const { device, guest, told } = await takenDevice(t, { vrings: 2, workers: 2 })
    const queues = [guest.queue(), guest.queue()]
    for (const [index, queue] of queues.entries()) await device.startVring(index, queue.setup())
    device.workerOf(0)?.thread.kill()
    await until('it is told of', () => told.length === 1)
    assert.deepEqual(told[0]?.vring, null)
    assert.match(String(told[0]?.error), /'dev-0' has ended: Worker 'dev-0' was killed/)
    assert.equal(device.workerOf(0), null)
    // Nobody knows how far it came: a base of 0 would have requests done again.
    await assert.rejects(device.stopVring(0), { code: 'ERR_WORKER_DIED' })
    await assert.rejects(device.startVring(0, queues[0]?.setup() ?? assert.fail()), {
      code: 'ENODEV',
    })
    assert.equal((await queues[1]?.send(asking(Serve.NOW)))?.written, 8)
    await device.release()
  })

  test('that ends while others come leaves the device without an owner, and nothing else [VH-2]', async (t) => {
    const first = await VhostWorker.create({ name: 'first' })
    const second = await VhostWorker.create({ name: 'second' })
    const { device, words } = await newDevice(t, {
      workers: [first, second],
      module: `data:text/javascript,export default async ({ words }, { name }) => {
        if (name === 'first') Atomics.store(words, ${Word.OPENED}, 1);
        while (name === 'second' && Atomics.load(words, ${Word.GATE}) === 0)
          await new Promise((resolve) => setTimeout(resolve, 1));
        return { id: 42, process: () => 0 }
      }`,
    })
    const taken = assert.rejects(device.setOwner(), {
      code: 'ENODEV',
      message: /'first' has ended/,
    })
    await until('the first is made', () => words[Word.OPENED] === 1)
    // It is asked one thing after the other: once another device is there, this one is, and has its memory.
    const { device: later } = await newDevice(t, { workers: [first] })
    await later.setOwner()
    await later.resetOwner()
    first.thread.kill()
    await until('it has ended', () => first.thread.exitCode !== null)
    Atomics.store(words, Word.GATE, 1)
    await taken
    assert.deepEqual([device.isOwned, device.workerOf(0), second.devices], [false, null, 0])
    await second.free()
  })

  test('that ends while a vring moves to it is told of, and the vring stands', async (t) => {
    const { device, guest, told, words } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    const first = device.workerOf(0) ?? assert.fail()
    const second = await device.newWorker({ name: 'second' })
    // The device is in both from now on.
    await device.attach(0, second)
    await device.attach(0, first)
    const underWay = queue.send(asking(Serve.GATE))
    await until('it is under way', () => words[Word.CALLS] === 1)
    const moving = assert.rejects(device.attach(0, second), { code: 'ERR_WORKER_DIED' })
    // By then it has been told to stop.
    await device.flush()
    second.thread.kill()
    await until('the second has ended', () => second.thread.exitCode !== null)
    assert.equal(told.length, 0)
    Atomics.store(words, Word.GATE, 1)
    await moving
    await underWay
    assert.match(String(told[0]?.error), /'second' has ended/)
    assert.deepEqual([told.length, device.workerOf(0)], [1, null])
    await assert.rejects(device.stopVring(0), { code: 'ERR_WORKER_DIED' })
    await assert.rejects(device.attach(0, second), { code: 'ENODEV' })
  })
})

describe('the configuration space', { skip }, () => {
  test('is read as far as it goes, and written where the device lets, without a worker [VH-4]', async (t) => {
    const { device } = await newDevice(t)
    assert.deepEqual([...device.readConfig(1, 10)], [2, 3, 4])
    assert.deepEqual([...device.readConfig(9, 1)], [])
    assert.equal(device.writeConfig(0, new Uint8Array(1)), false)
    assert.equal(device.vrings, 1)
  })

  test('is none of a module that makes no device', async () => {
    const plan = { data: {}, name: 'none', workers: 1, workerOptions: {} }
    for (const [text, expected] of [
      ['export const device = 1', /must export the function/],
      ['export default () => {}', /is none: it is undefined/],
      ['export default () => ({ id: 1 })', /process must be a function/],
      ['export default () => ({ id: 1, vrings: 257, process() {} })', /from 1 to 256/],
      ['export default () => ({ id: 1, close: 1, process() {} })', /close must be a function/],
      ['export default () => ({ id: 1.5, process() {} })', /id must be the number/],
      ['export default () => ({ id: 1, features: 1, process() {} })', /a bigint of bits/],
    ] as const)
      await assert.rejects(
        VhostDevice.create({ ...plan, module: `data:text/javascript,${text}` }),
        expected,
      )
  })
})
