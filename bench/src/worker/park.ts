/**
 * Parking a worker and letting it go on.
 *
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { Bell } from '../bell.js'
import { microseconds, nanoseconds } from '../clock.js'
import { UserWorker } from '../library.js'
import type { Measure, Samples } from '../measure.js'
import { startRaw, thread } from '../raw.js'

/** The first round trips run code that is not yet compiled: they are made and not counted. */
const warmUps = 100

function ours(module: string): (count: number) => Promise<Samples> {
  return async (count) => {
    const worker = await UserWorker.create(thread(module), { data: new Bell().shared })
    await worker.start()
    const roundTrips = await timed(count, async () => {
      await worker.park()
      worker.unpark()
    })
    await worker.stop()
    return roundTrips
  }
}

/** The same hops: a wake by the shared word, a message back, a wake by the shared word. */
function raw(module: string): (count: number) => Promise<Samples> {
  return async (count) => {
    const bell = new Bell()
    const worker = await startRaw(module, bell.shared)
    const roundTrips = await timed(count, async () => {
      const parked = message(worker)
      bell.turn()
      bell.ring()
      await parked
      bell.turn()
    })
    await worker.terminate()
    return roundTrips
  }
}

function message(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('message', () => resolve())
  })
}

async function timed(count: number, roundTrip: () => Promise<void>): Promise<Samples> {
  const samples: number[] = []
  for (let index = -warmUps; index < count; index++) {
    const begun = nanoseconds()
    await roundTrip()
    if (index >= 0) samples.push(microseconds(begun))
  }
  return { roundTrip: samples }
}

export const parkAsleep: Measure = {
  name: 'park-asleep',
  count: 3000,
  quickCount: 10,
  sides: {
    ours: { sample: ours('batches') },
    raw: { sample: raw('raw-waiter') },
  },
  rows: [{ name: 'park-asleep', unit: 'us', ours: 'ours.roundTrip', raw: 'raw.roundTrip' }],
}

export const parkBusy: Measure = {
  name: 'park-busy',
  count: 3000,
  quickCount: 10,
  sides: {
    ours: { sample: ours('checkpoints') },
    raw: { sample: raw('raw-poller') },
  },
  rows: [{ name: 'park-busy', unit: 'us', ours: 'ours.roundTrip', raw: 'raw.roundTrip' }],
}
