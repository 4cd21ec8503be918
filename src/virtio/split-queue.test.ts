import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { GuardedMemory, regions } from './guarded.fixture.js'
import {
  GuestMemory,
  RingError,
  SplitQueue,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
  type QueueSetup,
} from './index.js'
import { RawQueue, usual } from './raw-queue.fixture.js'

checkForLeaks()

const [low, high] = regions

function make(setup: Partial<QueueSetup> = {}): {
  guarded: GuardedMemory
  raw: RawQueue
  queue: SplitQueue
  get: (field: 'index' | 'flags' | 'event') => number
  put: (field: 'flags' | 'event', value: number) => void
} {
  const whole = { ...usual, ...setup }
  const guarded = new GuardedMemory()
  const raw = new RawQueue(guarded, whole)
  for (let index = 0; index < whole.size; index++)
    raw.describe(index, { address: 0x12000 + 32 * index, length: 16, flags: 2, next: 0 })
  const event = whole.used + 4 + 8 * whole.size
  const mine = { flags: whole.used, index: whole.used + 2, event }
  const theirs = { flags: whole.available, event: whole.available + 4 + 2 * whole.size }
  return {
    guarded,
    raw,
    queue: new SplitQueue(guarded.memory, whole),
    get: (field) => Number(guarded.get(mine[field], 2)),
    put: (field, value) => guarded.put(theirs[field], 2, value),
  }
}

const misplaced: readonly [what: string, says: RegExp, setup: Partial<QueueSetup>][] = [
  ['with no descriptors', /cannot have 0 descriptors/, { size: 0 }],
  ['of a size that is no power of two', /cannot have 12 descriptors/, { size: 12 }],
  ['that is too long', /cannot have 65536 descriptors/, { size: 65_536 }],
  ['of a size that is no number', /cannot have NaN/, { size: Number.NaN }],
  ['with descriptors at an odd address', /not aligned to 16/, { descriptors: low.guest + 8 }],
  ['with an odd available ring', /available ring .* not aligned to 2/, { available: 0x10801 }],
  ['with a misaligned used ring', /used ring .* not aligned to 4/, { used: 0x10a02 }],
  ['with descriptors outside', /table at 0x0 is not in the memory/, { descriptors: 0 }],
  ['whose descriptors end outside', /not in the memory: 256 bytes/, { descriptors: 0x13f10 }],
  ['whose available ring ends outside', /available .* not in the memory/, { available: 0x13fde }],
  ['whose used ring ends outside', /used .* not in the memory/, { used: 0x13f80 }],
  ['at an address that is not exact', /not in the memory/, { descriptors: 2 ** 63 + 0x10000 }],
  ['at the last address', /not in the memory/, { used: 2 ** 64 }],
]

describe('a split virtqueue', () => {
  for (const [what, message, setup] of misplaced)
    test(`${what} is refused`, () => {
      const { memory } = new GuardedMemory()
      const thrown = { name: 'RingError', message }
      assert.throws(() => new SplitQueue(memory, { ...usual, ...setup }), thrown)
    })

  test('may end with its region, with the event fields only where they were agreed on', () => {
    const { memory } = new GuardedMemory()
    const ends = { available: 0x13fdc, used: 0x13f7c, features: 0n }
    assert.ok(new SplitQueue(memory, { ...usual, ...ends }))
    const features = VIRTIO_RING_F_EVENT_IDX
    assert.throws(() => new SplitQueue(memory, { ...usual, ...ends, features }), RingError)
  })

  test('gives requests in order and takes them back in any, also where indices wrap round', () => {
    const { raw, queue, guarded, get } = make({ base: 65_530, descriptors: high.guest })
    guarded.put(usual.used + 2, 2, 65_530)
    const again = new SplitQueue(guarded.memory, {
      ...usual,
      descriptors: high.guest,
      base: 65_530,
    })
    assert.equal(queue.nextUsed, 0)
    for (let index = 65_530; index < 65_700; index += 2) {
      raw.offer(3)
      raw.offer(5)
      const [first, second] = [again.next(), again.next()]
      assert.deepEqual([first?.head, second?.head], [3, 5])
      assert.equal(again.next(), null)
      assert.equal(again.underWay, 2)
      second?.complete(16)
      first?.complete(index % 16)
      assert.equal(get('index'), index % 65_536)
      again.publish()
      assert.equal(get('index'), (index + 2) % 65_536)
      const entry = usual.used + 4 + 8 * (index % 16)
      assert.deepEqual(
        [0, 4, 8, 12].map((at) => Number(guarded.get(entry + at, 4))),
        [5, 16, 3, index % 16],
      )
      assert.equal(again.nextAvailable, (index + 2) % 65_536)
    }
    guarded.checkGuards()
  })

  for (const [ahead, isBroken] of [
    [16, false],
    [17, true],
    [32_768, true],
    [65_535, true],
  ] as const)
    test(`whose available index is ${ahead} ahead is ${isBroken ? 'broken' : 'full'}`, () => {
      const { raw, queue } = make({ base: 65_000 })
      raw.showIndex((65_000 + ahead) % 65_536)
      if (!isBroken) assert.equal(queue.next()?.head, 0)
      else assert.throws(() => queue.next(), { name: 'RingError', message: /went from 65000 to/ })
    })

  for (const head of [16, 65_535])
    test(`in which head ${head} is available is broken`, () => {
      const { raw, queue } = make()
      raw.offer(head)
      assert.throws(() => queue.next(), { name: 'RingError', message: /begins at descriptor/ })
      assert.throws(() => queue.next(), RingError)
    })

  test('in which a head is available twice is broken', () => {
    const { raw, queue } = make()
    raw.offer(4)
    raw.offer(4)
    const request = queue.next()
    assert.throws(() => queue.next(), { name: 'RingError', message: /while it is under way/ })
    request?.complete(0)
    assert.equal(queue.next()?.head, 4, 'it has been given back')
  })

  test('takes requests that were under way before by their heads', () => {
    const { queue } = make()
    const request = queue.take(7)
    assert.deepEqual([request.head, queue.nextAvailable, queue.underWay], [7, 0, 1])
    assert.throws(() => queue.push(6, 0), /no chain 6 under way/)
    request.complete(16)
    assert.equal(queue.underWay, 0)
  })

  test('uses what it knows of a request again for the next, with another serial number', () => {
    const { queue } = make()
    const request = queue.take(1)
    const { serial } = request
    request.complete(0)
    const next = queue.take(2)
    assert.equal(next, request)
    assert.notEqual(next.serial, serial)
    next.complete(0)
    assert.throws(() => next.complete(0), /given back before/)
  })

  test('tells who asked for it of a completed request, who gives it back later', () => {
    const { guarded } = make()
    const completed: number[] = []
    const queue = new SplitQueue(guarded.memory, usual, ({ head }, written) => {
      completed.push(head, written)
    })
    const request = queue.take(2)
    request.complete(4)
    assert.deepEqual([completed, queue.underWay], [[2, 4], 1])
    queue.push(2, 4)
    assert.equal(queue.underWay, 0)
  })

  test('holds notes of some million pieces at once, whatever tables a guest makes', () => {
    const size = 32_768
    const bytes = new Uint8Array(2 ** 21)
    const view = new DataView(bytes.buffer)
    const region = { guest: 0, size: bytes.length, address: 0, windows: [bytes] }
    const parts = { size, descriptors: 0, available: 0x180000, used: 0x1a0000 }
    const queue = new SplitQueue(new GuestMemory([region]), { ...usual, ...parts })
    const table = 16 * size
    for (let index = 0; index < size; index++) {
      view.setUint32(16 * index, table, true)
      view.setUint32(16 * index + 8, 16 * size, true)
      view.setUint32(16 * index + 12, 4, true)
      const isLast = index === size - 1
      view.setUint32(table + 16 * index, 0x100000 + (index % 2) * 8, true)
      view.setUint32(table + 16 * index + 8, 4, true)
      view.setUint32(table + 16 * index + 12, isLast ? 2 : 3 + ((index + 1) << 16), true)
    }
    for (let head = 0; head < 128; head++) assert.equal(queue.take(head).writable.count, size)
    assert.throws(() => queue.take(128), { name: 'RingError', message: /more than 4194304 pieces/ })
    for (let head = 0; head < 128; head++) queue.push(head, 0)
    assert.equal(queue.take(128).writable.count, size)
  })
})

describe('notifications by flags', () => {
  test('are wanted by the driver unless it says that they are not', () => {
    const { queue, put } = make({ features: 0n })
    assert.ok(queue.shouldCall())
    put('flags', 1)
    assert.ok(!queue.shouldCall())
    put('flags', 0xfffe)
    assert.ok(queue.shouldCall())
  })

  test('are refused while the device looks by itself, and asked for before it sleeps', () => {
    const { raw, queue, get } = make({ features: VIRTIO_RING_F_INDIRECT_DESC })
    queue.disableKicks()
    assert.equal(get('flags'), 1)
    assert.equal(queue.enableKicks(), false)
    assert.equal(get('flags'), 0)
    queue.disableKicks()
    raw.offer(1)
    assert.equal(queue.enableKicks(), true, 'a request came for which there is no kick')
  })
})

describe('notifications by index', () => {
  const features = VIRTIO_RING_F_EVENT_IDX

  test('are asked for from the next request on', () => {
    const { raw, queue, get } = make({ features, base: 65_535 })
    assert.equal(queue.enableKicks(), false)
    assert.equal(get('event'), 65_535)
    raw.offer(1)
    assert.equal(queue.enableKicks(), true)
    queue.next()
    queue.disableKicks()
    assert.deepEqual([get('event'), get('flags')], [65_535, 0])
    assert.equal(queue.enableKicks(), false)
    assert.equal(get('event'), 0)
  })

  test('are sent when the entry that the driver named has been used, and once for it', () => {
    const { queue, put } = make({ features })
    const use = (count: number): boolean => {
      for (let time = 0; time < count; time++) queue.take(time).complete(0)
      queue.publish()
      return queue.shouldCall()
    }
    put('event', 1000)
    assert.ok(use(0), 'nobody knows what was said before')
    assert.ok(!use(3))
    put('event', 5)
    assert.ok(!use(2))
    assert.ok(use(1))
    assert.ok(!use(1))
    put('event', 9)
    assert.ok(use(5))
    put('event', 0xffff)
    for (let used = 12; used < 0xffff; used++) queue.take(0).complete(0)
    assert.ok(!use(0))
    assert.ok(use(1))
  })

  test('are sent when so much was used that nobody can say what was in between', () => {
    const { queue, put } = make({ features })
    assert.ok(queue.shouldCall())
    put('event', 3)
    for (let used = 0; used < 65_537; used++) queue.take(0).complete(0)
    queue.publish()
    assert.ok(queue.shouldCall())
  })
})
