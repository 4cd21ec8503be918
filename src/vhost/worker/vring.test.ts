import assert from 'node:assert/strict'
import { openSync, closeSync } from 'node:fs'
import { describe, test } from 'node:test'
import { clear, PollSet, signal } from '../../os/events.js'
import { map, memoryFile, unmap, viewOf } from '../../os/mapping.js'
import { until } from '../../os/own-thread.fixture.js'
import type { GuestQueue } from '../../testing/guest.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { asking, Serve, Word } from '../device.fixture.js'
import { newDevice, takenDevice } from '../device-under-test.fixture.js'
import { inflightQueueBytes } from '../inflight.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** Memory for a test, closed with it. */
function mapped(
  t: { after(run: () => void): void },
  size: number,
): { address: number; size: number } {
  const fd = memoryFile('test', size)
  const address = map(fd, size)
  closeSync(fd)
  t.after(() => unmap(address, size))
  return { address, size }
}

/** Whether the frontend was told that a vring is broken. */
function isTold({ error }: GuestQueue): boolean {
  return clear(error)
}

describe('the requests of a vring', { skip }, () => {
  test('are answered at once, by a promise, or later, as the device likes', async (t) => {
    const { device, guest } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    for (const how of [Serve.NOW, Serve.PROMISE, Serve.LATER, Serve.SLOW]) {
      const times: number[] = []
      for (let round = 0; round < 3; round++) {
        const began = performance.now()
        const { written, data } = await queue.send(asking(how, 2, 0))
        assert.deepEqual([written, data[0]?.[0]], [8, how])
        times.push(performance.now() - began)
      }
      // The longest sleep of the thread is a second: nobody waited for that.
      assert.ok(Math.min(...times) < 900, `${how} took ${times.join(' ')} ms`)
    }
    const mixed = Array.from({ length: 60 }, (_, index) =>
      queue.send(asking([Serve.NOW, Serve.PROMISE, Serve.LATER][index % 3] ?? 0, index % 5)),
    )
    for (const { written } of await Promise.all(mixed)) assert.equal(written, 8)
    assert.equal(await device.stopVring(0), 72)
  })

  test('go round the ring many times, and all come back', async (t) => {
    const { device, guest, of } = await takenDevice(t)
    const queue = guest.queue({ size: 16, base: 65_000 })
    await device.startVring(0, queue.setup({ base: 65_000 }))
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 8 }, (_, index) =>
        queue.add(asking(0, 0, round * 8 + index + 1)),
      )
      queue.show()
      await Promise.all(sent)
    }
    assert.deepEqual([of(0, 'requests'), of(0, 'disorder')], [1600, 0])
    assert.equal(await device.stopVring(0), (65_000 + 1600) & 0xffff)
  })

  test('are no more once it has stopped, and those under way are finished before [INV-VH-5]', async (t) => {
    const { device, guest, words } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    const underWay = [queue.send(asking(Serve.PROMISE, 30)), queue.send(asking(Serve.LATER, 30))]
    await until('they are under way', () => words[Word.CALLS] === 2)
    const stopping = device.stopVring(0)
    // Sent behind the stop, or just before it is heard: it is served, or the base is before it.
    const late = queue.send(asking(Serve.NOW))
    const base = await stopping
    queue.take()
    await Promise.all(underWay)
    const calls = words[Word.CALLS]
    assert.equal(calls, base)
    void queue.send(asking(Serve.NOW))
    await device.flush()
    assert.equal(words[Word.CALLS], calls, 'the device was asked after the stop')
    await device.startVring(0, queue.setup({ base }))
    assert.equal((await late).written, 8)
  })

  test('take turns with those of another vring of the worker [VH-14]', async (t) => {
    const { device, guest, words } = await takenDevice(t, { vrings: 2 })
    const [busy, other] = [guest.queue({ size: 4096 }), guest.queue()]
    await device.startVring(0, busy.setup())
    await device.startVring(1, other.setup())
    const many = Array.from({ length: 1000 }, () => busy.add(asking(Serve.SLOW, 1)))
    busy.show()
    await until('the first is at work', () => (words[Word.CALLS] ?? 0) > 0)
    assert.equal((await other.send(asking(Serve.NOW))).written, 8)
    const before = words[Word.VRINGS] ?? 0
    assert.ok(before < 900, `the second had to wait for ${before} requests of the first`)
    await Promise.all(many)
  })

  test('are found without a kick where the vring is polled', async (t) => {
    const { device, guest } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup({ kick: null }))
    for (let round = 0; round < 20; round++) {
      const used = queue.add(asking(Serve.NOW))
      queue.driver.publish()
      assert.equal((await used).written, 8)
    }
    assert.equal(await device.stopVring(0), 20)
    await device.startVring(0, queue.setup({ base: 20 }))
    assert.equal((await queue.send(asking(Serve.NOW))).written, 8)
  })

  test('go on in the memory that replaces theirs, and the old one can be undone', async (t) => {
    const { device, guest, words } = await takenDevice(t, { vrings: 2, workers: 2 })
    const queues = [guest.queue(), guest.queue()]
    let regions = guest.map()
    await device.setMemory(regions)
    for (const [index, queue] of queues.entries()) await device.startVring(index, queue.setup())
    for (let round = 0; round < 10; round++) {
      const sent = queues.flatMap((queue) => [
        queue.send(asking(Serve.PROMISE, 3)),
        queue.send(asking(Serve.NOW)),
      ])
      const next = guest.map()
      await device.setMemory(next)
      guest.unmap(regions)
      regions = next
      for (const { written } of await Promise.all(sent)) assert.equal(written, 8)
    }
    assert.equal(words[Word.CALLS], 40)
    for (const index of [0, 1]) assert.equal(await device.stopVring(index), 20)
  })
})

describe('a vring that breaks', { skip }, () => {
  for (const [what, how] of [
    ['throws', Serve.THROW],
    ['rejects its promise', Serve.REJECT],
    ['returns something else', Serve.NONSENSE],
  ] as const)
    test(`because the device ${what}, breaks alone, and says so once`, async (t) => {
      const { device, guest, told } = await takenDevice(t, { vrings: 2 })
      const [bad, good] = [guest.queue(), guest.queue()]
      await device.startVring(0, bad.setup())
      await device.startVring(1, good.setup())
      void bad.send(asking(how, 1))
      void bad.send(asking(how, 1))
      await until('it is told of', () => told.length > 0)
      assert.equal(told[0]?.vring, 0)
      assert.match(
        String(told[0]?.error),
        /thrown back|rejected|must return a number, a promise of one, or nothing: 'done'/,
      )
      assert.equal(isTold(bad), true)
      assert.equal((await good.send(asking(Serve.NOW))).written, 8)
      assert.equal(isTold(good), false)
      // It stands, whatever comes.
      void bad.send(asking(Serve.NOW))
      await device.setMemory(guest.map())
      assert.equal((await good.send(asking(Serve.NOW))).written, 8)
      assert.deepEqual([bad.calls, told.length], [0, 1])
      assert.ok((await device.stopVring(0)) <= 3)
    })

  test('is told of where the driver gave nothing to tell it by', async (t) => {
    const { device, guest, told } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup({ error: null }))
    void queue.send(asking(Serve.THROW))
    await until('it is told of', () => told.length > 0)
    assert.match(String(told[0]?.error), /thrown back/)
    assert.equal(isTold(queue), false)
    assert.equal(await device.stopVring(0), 1)
  })

  test('because the device completes a request twice, which its driver does not hear', async (t) => {
    const { device, guest, told, words } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    assert.equal((await queue.send(asking(Serve.TWICE, 100))).written, 8)
    // By then it is another request, under way.
    void queue.send(asking(Serve.GATE))
    await until('it is told of', () => told.length > 0)
    assert.match(String(told[0]?.error), /completed a request twice|given back before/)
    Atomics.store(words, Word.GATE, 1)
    assert.ok((await device.stopVring(0)) <= 2)
  })

  test('because of its driver: an index too far, a chain that is none, a ring that is not there', async (t) => {
    const { device, guest, told } = await takenDevice(t, { vrings: 2 })
    const good = guest.queue()
    await device.startVring(1, good.setup())
    for (const spoil of [
      ({ driver }: GuestQueue) => driver.setAvailableIndex(1000),
      ({ driver }: GuestQueue) => {
        driver.writeDescriptor(0, { address: 2n ** 63n, length: 8, flags: 0, next: 0 })
        driver.offer(0)
      },
      ({ driver }: GuestQueue) => driver.offer(4000),
    ]) {
      const bad = guest.queue({ size: 16 })
      await device.startVring(0, bad.setup())
      const before = told.length
      spoil(bad)
      bad.driver.publish()
      signal(bad.kick)
      await until('it is told of', () => told.length > before)
      assert.equal(isTold(bad), true)
      assert.equal(await device.stopVring(0), 0)
    }
    const setup = good.setup({ kick: null })
    await assert.rejects(device.startVring(0, { ...setup, used: 16 }), /not in the memory/)
    await assert.rejects(device.startVring(0, { ...setup, used: setup.used + 2 }), /not aligned/)
    await assert.rejects(device.startVring(0, { ...setup, size: 3 }), /3 descriptors/)
    assert.equal((await good.send(asking(Serve.NOW))).written, 8)
  })

  test('because the memory that replaces its own has no room for it, and stands with its base', async (t) => {
    const { device, guest, told } = await takenDevice(t)
    const queue = guest.queue()
    await device.startVring(0, queue.setup())
    await queue.send(asking(Serve.NOW))
    const [{ address }] = guest.map()
    await device.setMemory([{ guest: 4096, size: 4096, user: 0, address }])
    await until('it is told of', () => told.length === 1)
    assert.equal(await device.stopVring(0), 1)
  })

  test('breaks nothing else where its events are none', async (t) => {
    const { device, guest, told } = await takenDevice(t, { vrings: 2 })
    const readOnly = openSync('/dev/null', 'r')
    t.after(() => closeSync(readOnly))
    const [bad, good] = [guest.queue(), guest.queue()]
    await assert.rejects(device.startVring(0, bad.setup({ kick: readOnly })), { code: 'EPERM' })
    await device.startVring(0, bad.setup({ call: readOnly, error: readOnly }))
    await device.startVring(1, good.setup())
    let isAnswered = false
    void bad.send(asking(Serve.NOW)).then(() => (isAnswered = true))
    await good.send(asking(Serve.NOW))
    // It is not called.
    await until('the driver finds the answer', () => {
      bad.take()
      return isAnswered
    })
    await device.changeVring(0, { call: bad.call })
    assert.equal((await bad.send(asking(Serve.NOW))).written, 8)
    void bad.send(asking(Serve.THROW))
    await until('it is told of', () => told.length === 1)
    assert.equal((await good.send(asking(Serve.NOW))).written, 8)
  })
})

describe('what a vring notes for others', { skip }, () => {
  test('are the pages that it has written, and no others, while there is a log', async (t) => {
    const { device, guest } = await takenDevice(t)
    const queue = guest.queue()
    const log = mapped(t, 4096)
    const bits = new Uint8Array(viewOf(log.address, log.size))
    const pages = (): number[] =>
      [...bits.keys()].flatMap((byte) =>
        [0, 1, 2, 3, 4, 5, 6, 7]
          .filter((bit) => ((bits[byte] ?? 0) >> bit) & 1)
          .map((bit) => byte * 8 + bit),
      )
    await device.startVring(0, queue.setup())
    await queue.send(asking(Serve.NOW))
    assert.deepEqual(pages(), [])
    await device.changeVring(0, { log, usedLog: queue.driver.used })
    // The buffer has two pages and more; 8 bytes of it are written.
    const head = guest.memory.allocate(3 * 4096)
    guest.memory.free(head)
    const { written } = await queue.send(asking(Serve.NOW), 3 * 4096)
    assert.equal(written, 8)
    const found = pages()
    assert.ok(found.includes(Math.floor(queue.driver.used / 4096)), found.join())
    assert.ok(found.length >= 1 && found.length <= 3, found.join())
    await device.changeVring(0, { log: null, usedLog: null })
    bits.fill(0)
    await queue.send(asking(Serve.NOW))
    assert.deepEqual(pages(), [])
  })

  test('are requests under way: after the end of a worker the next does them again, in order', async (t) => {
    const region = mapped(t, Math.ceil(inflightQueueBytes(64) / 4096) * 4096)
    const inflight = { address: region.address, size: inflightQueueBytes(64) }
    const first = await takenDevice(t)
    const queue = first.guest.queue({ size: 64 })
    await first.device.startVring(0, queue.setup({ inflight }))
    for (let round = 0; round < 3; round++) await queue.send(asking(Serve.NOW))
    const sent = [1, 2, 3, 4].map(() => queue.send(asking(Serve.GATE)))
    await until('they are under way', () => first.words[Word.CALLS] === 7)
    first.device.workerOf(0)?.thread.kill()
    await until('the worker has ended', () => first.told.length === 1)
    const waiting = queue.send(asking(Serve.NOW))

    const second = await newDevice(t)
    await second.device.setOwner()
    await second.device.setMemory(first.guest.map())
    Atomics.store(second.words, Word.GATE, 1)
    await second.device.startVring(0, queue.setup({ inflight }))
    for (const { written } of await Promise.all([...sent, waiting])) assert.equal(written, 8)
    assert.equal(second.words[Word.CALLS], 5, 'four again, and the one that waited')
    assert.equal(await second.device.stopVring(0), 8)
    await second.device.release()
    const set = new PollSet()
    set.set([queue.error])
    assert.equal(set.wait(0), 0)
  })
})
