/**
 * From a wake to the first instruction of the thread's own code.
 *
 * @module
 */
import { Bell } from '../bell.js'
import { block, microseconds, nanoseconds } from '../clock.js'
import { UserWorker } from '../library.js'
import type { Measure, Samples } from '../measure.js'
import { startRaw, thread } from '../raw.js'

/** The first wakes run code that is not yet compiled: they are made and not counted. */
const warmUps = 20

type Sample = (count: number) => Promise<Samples>

function ours(asleepMs: number): Sample {
  return async (count) => {
    const bell = new Bell()
    const worker = await UserWorker.create(thread('batches'), { data: bell.shared })
    await worker.start()
    const samples = latencies(count, asleepMs, bell, () => worker.wake())
    await worker.stop()
    return samples
  }
}

function notified(asleepMs: number): Sample {
  return async (count) => {
    const bell = new Bell()
    const worker = await startRaw('raw-waiter', bell.shared)
    const samples = latencies(count, asleepMs, bell, () => bell.ring())
    await worker.terminate()
    return samples
  }
}

function messaged(asleepMs: number): Sample {
  return async (count) => {
    const bell = new Bell()
    const worker = await startRaw('raw-listener', bell.shared)
    const samples = latencies(count, asleepMs, bell, () => worker.postMessage('wake'))
    await worker.terminate()
    return samples
  }
}

/** The waker blocks while it waits, so that both of them have a CPU if there are two. */
function latencies(count: number, asleepMs: number, bell: Bell, wake: () => void): Samples {
  const samples: number[] = []
  for (let index = -Math.min(warmUps, count); index < count; index++) {
    block(asleepMs)
    bell.aim()
    const begun = nanoseconds()
    wake()
    const ran = bell.timeOfHit()
    if (index >= 0) samples.push(microseconds(begun, ran))
  }
  return { latency: samples }
}

function wakeAfter(asleepMs: number, count: number): Measure {
  const name = `wake-after-${asleepMs}ms`
  return {
    name,
    count,
    quickCount: 2,
    sides: {
      ours: { sample: ours(asleepMs) },
      notify: { sample: notified(asleepMs) },
      message: { sample: messaged(asleepMs) },
    },
    rows: ['notify', 'message'].map((raw) => ({
      name: `${name}-vs-${raw}`,
      unit: 'us' as const,
      ours: 'ours.latency',
      raw: `${raw}.latency`,
    })),
  }
}

/** A worker sleeps in `Atomics.wait` for its first 5 ms without work, and then in its event loop. */
export const wakeSoon: Measure = wakeAfter(2, 300)
export const wakeLate: Measure = wakeAfter(50, 40)
