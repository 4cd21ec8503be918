/**
 * The two sides of a virtqueue that tell each other what is new, and sleep (`virtio/notifications.ts`, in the order
 * of `SplitQueue` and `VirtqueueDriver`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol, Value } from '../engine/protocol.js'
import type * as memory from '../memory.js'
import { allocateHalves } from '../operations.js'

type Real = typeof import('../../../src/virtio/notifications.js')
type Notifications = InstanceType<Real['Notifications']>

interface Rings {
  /** Flags, index, event field; the entries themselves make no difference here. */
  readonly available: memory.Halves
  readonly used: memory.Halves
}

/** How many requests the driver adds at once. */
const batches = [1, 2]
const inAll = 3
/** The indices wrap round on the way. */
const base = 0xffff

function sides({ Notifications }: Real, rings: Rings, byIndex: boolean) {
  const available = { halves: rings.available, event: 2 }
  const used = { halves: rings.used, event: 2 }
  return {
    driver: new Notifications(available, used, byIndex),
    device: new Notifications(used, available, byIndex),
  }
}

const indexOf = (count: number): number => (base + count) & 0xffff
const countOf = (index: number): number => (index - base) & 0xffff

/** Adds its batches, then takes back, and sleeps when there is nothing to take. Knows what is done. */
function drive(driver: Notifications, model: Model, done: Value): void {
  if (done === undefined) {
    let added = 0
    for (const batch of batches) {
      added += batch
      driver.publish(indexOf(added))
      if (driver.isWanted(indexOf(added), batch)) model.post('kick', null)
    }
  }
  const found = countOf(driver.theirIndex())
  if (found === inAll) return
  if (!driver.listen(indexOf(found))) {
    model.receive('call')
    driver.ignore()
  }
  model.again(found)
}

/** Gives back all it finds, and sleeps when there is nothing more. Knows what it has given back. */
function serve(device: Notifications, model: Model, state: Value): void {
  const done = Number(state ?? 0)
  const found = countOf(device.theirIndex())
  if (found > done) {
    device.publish(indexOf(found))
    if (device.isWanted(indexOf(found), found - done)) model.post('call', null)
  }
  if (!device.listen(indexOf(found))) {
    model.receive('kick')
    device.ignore()
  }
  model.again(found)
}

/** The protocol, with notifications by index (EVENT_IDX) or by flags. */
export async function notifying(
  code: Code,
  name: string,
  byIndex: boolean,
): Promise<Protocol<Rings>> {
  const real = (await code('virtio/notifications.js')) as Real
  return {
    name,
    promise: 'A driver and a device never both sleep while there is something to do.',
    setUp() {
      const rings = { available: allocateHalves(3), used: allocateHalves(3) }
      const { driver, device } = sides(real, rings, byIndex)
      for (const side of [driver, device]) {
        side.publish(base)
        side.listen(base)
      }
      return rings
    },
    threads: {
      driver: (rings, model, done) => drive(sides(real, rings, byIndex).driver, model, done),
      device: (rings, model, done) => serve(sides(real, rings, byIndex).device, model, done),
    },
    check({ threads: { driver, device } }) {
      assert.equal(driver?.state, 'returned', 'the driver sleeps, and not all was given back')
      assert.equal(device?.state, 'asleep')
    },
    wordName: (index) => ['flags', 'index', 'event'][index] ?? `half ${index}`,
  }
}
