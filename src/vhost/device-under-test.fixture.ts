/**
 * Devices of `device.fixture.ts` with a guest that uses them, released and closed with their test.
 *
 * @module
 */
import type { TestContext } from 'node:test'
import { Guest } from '../testing/guest.fixture.js'
import { Word, type Data } from './device.fixture.js'
import type { DevicePlan } from './device-plan.js'
import { VhostDevice } from './vhost-device.js'

export const deviceModule: string = new URL('./device.fixture.js', import.meta.url).href

export interface UnderTest {
  readonly device: VhostDevice
  readonly guest: Guest
  readonly words: Data['words']
  /** What was told of broken vrings, and of lost workers. */
  readonly told: { vring: number | null; error: Error }[]
  /** The word of a vring. */
  readonly of: (vring: number, what: 'requests' | 'overlaps' | 'disorder') => number
}

/** A device that nobody has taken yet. */
export async function newDevice(
  test: TestContext,
  { vrings = 1, ...plan }: Partial<DevicePlan> & { vrings?: number } = {},
): Promise<UnderTest> {
  const words = new Int32Array(new SharedArrayBuffer(4 * (Word.VRINGS + 4 * vrings)))
  const data: Data = { words, vrings }
  const common = { module: deviceModule, name: 'dev', workers: 1, workerOptions: {} }
  const device = await VhostDevice.create({ data, ...common, ...plan })
  const guest = new Guest()
  const told: UnderTest['told'] = []
  device.onBroken = (vring, error) => void told.push({ vring, error })
  device.onFailure = (error) => void told.push({ vring: null, error })
  test.after(async () => {
    Atomics.store(words, Word.GATE, 1)
    Atomics.store(words, Word.BAD_CLOSE, 0)
    await device.release()
    guest.close()
  })
  const offsets = { requests: 0, overlaps: 2, disorder: 3 }
  const of: UnderTest['of'] = (vring, what) =>
    Atomics.load(words, Word.VRINGS + 4 * vring + offsets[what])
  return { device, guest, words, told, of }
}

/** A device that is taken, and has its guest's memory. */
export async function takenDevice(
  test: TestContext,
  plan?: Parameters<typeof newDevice>[1],
): Promise<UnderTest> {
  const made = await newDevice(test, plan)
  await made.device.setOwner()
  await made.device.setMemory(made.guest.map())
  return made
}
