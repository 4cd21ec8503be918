import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  GuestMemory,
  SplitQueue,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
} from '../virtio/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { DriverMemory, VirtqueueDriver, type VirtqueueDriverOptions } from './index.js'

checkForLeaks()

/** A driver, and the device's side of its queue. */
function bothSides(options: VirtqueueDriverOptions = {}): {
  memory: DriverMemory
  driver: VirtqueueDriver
  queue: SplitQueue
} {
  const memory = new DriverMemory(new Uint8Array(1 << 18))
  const driver = new VirtqueueDriver(memory, options)
  const { guest, bytes } = memory
  const region = { guest, size: bytes.length, address: 0, windows: [bytes] }
  const setup = { ...partsOf(driver), base: options.base ?? 0 }
  return { memory, driver, queue: new SplitQueue(new GuestMemory([region]), setup) }
}

function partsOf({ size, descriptors, available, used, features }: VirtqueueDriver) {
  return { size, descriptors, available, used, features }
}

describe('the driver of a virtqueue', () => {
  for (const [how, features] of [
    ['descriptors', 0n],
    ['tables of descriptors', VIRTIO_RING_F_INDIRECT_DESC],
    ['notifications by index', VIRTIO_RING_F_EVENT_IDX],
  ] as const)
    test(`takes back what a device wrote, with ${how}, also where indices wrap round`, () => {
      const { driver, queue } = bothSides({ size: 8, features, base: 65_500 })
      for (let round = 0; round < 100; round++) {
        const sent = new Uint8Array([round, 2, 3])
        const head = driver.add([sent, sent.slice(1)], [4, 0, 100])
        driver.publish()
        const request = queue.next()
        assert.ok(request)
        const read = new Uint8Array(10)
        assert.equal(request.readable.read(0, read), 5)
        assert.deepEqual([...read.subarray(0, 5)], [round, 2, 3, 2, 3])
        assert.equal(request.writable.write(0, read.subarray(0, 5)), 5)
        assert.equal(driver.takeUsed(), null)
        request.complete(5)
        assert.equal(driver.takeUsed(), null, 'it is not published')
        queue.publish()
        const used = driver.takeUsed()
        assert.ok(used)
        assert.deepEqual([used.head, used.written], [head, 5])
        assert.deepEqual(
          used.data.map((piece) => [...piece.subarray(0, 2)]),
          [[round, 2], [], [3, 0]],
        )
        assert.deepEqual([driver.underWay, driver.freeDescriptors], [0, 8])
      }
    })

  test('refuses a request that has no room, and loses none for it', () => {
    const { driver, memory } = bothSides({ size: 4 })
    assert.throws(() => driver.add([], [1, 1, 1, 1, 1]), /5 descriptors are needed, and 4 are free/)
    assert.throws(() => driver.add([], []), /at least one piece/)
    assert.throws(() => driver.add([], [100, 1 << 20]), /no room for 1048576 bytes/)
    assert.equal(driver.freeDescriptors, 4)
    const rest = memory.bytes.length - (driver.used - memory.guest) - 48
    driver.add([], [rest])
  })

  test('leaves the memory of its caller to its caller', () => {
    const { driver, memory, queue } = bothSides({ features: VIRTIO_RING_F_INDIRECT_DESC })
    const address = memory.allocate(64)
    const buffer = { address, length: 32, isWritable: true }
    driver.addBuffers([buffer, { ...buffer, address: address + 32 }])
    driver.publish()
    const request = queue.next()
    assert.ok(request)
    assert.equal(request.writable.count, 1)
    request.writable.fill(0, 64, 7)
    request.complete(64)
    queue.publish()
    const { data = [] } = driver.takeUsed() ?? {}
    memory.at(address, 64).fill(8)
    assert.deepEqual(
      data.map((piece) => piece[0]),
      [8, 8],
    )
    memory.free(address)
  })

  test('objects to a device that breaks the rules', () => {
    const { driver, memory } = bothSides({ size: 4 })
    const used = new DataView(memory.at(driver.used, 38).buffer, driver.used - memory.guest)
    driver.add([], [16])
    used.setUint16(2, 1, true)
    used.setUint32(4, 3, true)
    assert.throws(() => driver.takeUsed(), /The device used 3, which is not under way/)
    used.setUint32(4, 0, true)
    used.setUint32(8, 17, true)
    assert.throws(() => driver.takeUsed(), /The device wrote 17 bytes into 16/)
    used.setUint16(2, 9, true)
    assert.throws(() => driver.takeUsed(), /The used index went from 1 to 9/)
  })

  test('refuses options that are wrong', () => {
    for (const options of [{ size: 3 }, { size: 65_536 }, { size: 0 }, { base: -1 }, { sise: 4 }])
      assert.throws(() => bothSides(options), { code: 'EINVAL' })
    assert.throws(() => new DriverMemory(new Uint8Array(64), { guest: 8 }), { code: 'EINVAL' })
    assert.throws(() => new DriverMemory(new Uint8Array(64).subarray(1)), { code: 'EINVAL' })
  })
})

describe('the memory of drivers', () => {
  test('gives room back whole, in whatever order it comes', () => {
    const memory = new DriverMemory(new Uint8Array(160))
    const places = [1, 16, 17, 32, 48].map((length) => memory.allocate(length))
    assert.throws(() => memory.allocate(17), RangeError)
    for (const index of [3, 1, 0, 4, 2]) memory.free(places[index] as number)
    assert.equal(memory.allocate(160), memory.guest)
    assert.throws(() => memory.free(memory.guest + 16), /Nothing was taken/)
  })

  test('shows no memory but its own', () => {
    const memory = new DriverMemory(new Uint8Array(64), { guest: 4096 })
    assert.equal(memory.at(4096, 64).length, 64)
    for (const [address, length] of [
      [4096, 65],
      [4095, 1],
      [4160, 1],
      [4100, -1],
    ] as const)
      assert.throws(() => memory.at(address, length), RangeError)
  })
})
