import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  GuestMemory,
  SplitQueue,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
} from '../virtio/index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { DriverMemory, VirtqueueDriver } from './index.js'

checkForLeaks()

/** What the two sides tell each other: a kick or a call that was sent and not yet heard. */
interface Told {
  kick: boolean
  call: boolean
  sent: number
}

const inAll = 40

/** Stops before each step that the other side can come in between; `'asleep'` until it is told. */
type Side = Generator<'ready' | 'asleep', void>

/** A driver that adds requests in batches, and sleeps when it can do nothing. */
function* drive(driver: VirtqueueDriver, told: Told, batches: readonly number[]): Side {
  let [added, done, turn] = [0, 0, 0]
  while (done < inAll) {
    let batch = batches[turn++ % batches.length] as number
    for (; batch > 0 && added < inAll && driver.freeDescriptors > 0; batch--, added++)
      driver.add([], [1])
    yield 'ready'
    driver.publish()
    yield 'ready'
    if (driver.needsKick()) [told.kick, told.sent] = [true, told.sent + 1]
    yield 'ready'
    for (; driver.takeUsed() !== null; done++) yield 'ready'
    if (done === inAll || (added < inAll && driver.freeDescriptors > 0)) continue
    yield 'ready'
    if (driver.enableCalls()) continue
    while (!told.call) yield 'asleep'
    told.call = false
    driver.disableCalls()
  }
}

/** A device that holds some requests back, and gives them back when there is nothing else to do. */
function* serve(queue: SplitQueue, told: Told, holds: number): Side {
  const held: number[] = []
  for (;;) {
    queue.disableKicks()
    for (let request = queue.next(); request; request = queue.next()) {
      held.push(request.head)
      if (held.length > holds) queue.push(held.shift() as number, 1)
      yield 'ready'
    }
    for (const head of held.splice(0)) queue.push(head, 1)
    yield 'ready'
    queue.publish()
    yield 'ready'
    if (queue.shouldCall()) [told.call, told.sent] = [true, told.sent + 1]
    yield 'ready'
    if (queue.enableKicks()) continue
    while (!told.kick) yield 'asleep'
    told.kick = false
  }
}

/** Runs both to the end: the schedule says who goes first, whoever can go then goes on in turns. */
function play(sides: readonly [Side, Side], schedule: readonly boolean[]): boolean {
  let isIdle = 0
  for (let step = 0; isIdle < 4; step++) {
    const which = schedule[step] ?? step % 2 === 0
    const { value, done } = sides[which ? 0 : 1].next()
    if (done && which) return true
    const isLate = step >= schedule.length
    isIdle = isLate && value === 'asleep' ? isIdle + 1 : 0
    assert.ok(step < 100_000, 'the two never end')
  }
  return false
}

describe('driver and device', () => {
  for (const [how, features] of [
    ['flags', VIRTIO_RING_F_INDIRECT_DESC],
    ['indices', VIRTIO_RING_F_EVENT_IDX],
  ] as const)
    test(`never both sleep while there is something to do, whatever their order, with ${how}`, () => {
      let [notified, requests] = [0, 0]
      const memory = new DriverMemory(new Uint8Array(4096))
      const { guest, bytes } = memory
      const region = { guest, size: bytes.length, address: 0, windows: [bytes] }
      fc.assert(
        fc.property(
          fc.array(fc.boolean(), { maxLength: 400 }),
          fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
          fc.constantFrom(0, 65_535, 65_520),
          fc.nat(3),
          (schedule, batches, base, holds) => {
            const own = new DriverMemory(bytes)
            const driver = new VirtqueueDriver(own, { size: 4, features, base })
            const { size, descriptors, available, used } = driver
            const setup = { size, descriptors, available, used, features, base }
            const queue = new SplitQueue(new GuestMemory([region]), setup)
            const told = { kick: false, call: false, sent: 0 }
            const sides = [drive(driver, told, batches), serve(queue, told, holds)] as const
            assert.ok(play(sides, schedule), 'both sleep, and not all was done')
            notified += told.sent
            requests += inAll
          },
        ),
        { numRuns: 1500 },
      )
      assert.ok(notified < 2 * requests, 'nobody was ever spared a notification')
    })
})
