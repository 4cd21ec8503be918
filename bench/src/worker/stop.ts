/**
 * From the wish to end a thread to the thread's end: one, and many at once.
 *
 * @module
 */
import { microseconds, nanoseconds, pause } from '../clock.js'
import { UserWorker } from '../library.js'
import type { Measure, Samples } from '../measure.js'
import { first, startRaw, thread } from '../raw.js'

/** After it a thread that has nothing to do is asleep. */
const idleMs = 20

/** A thread that can be ended. */
type End = () => Promise<unknown>

async function ours(): Promise<End> {
  const worker = await UserWorker.create(thread('idle'))
  await worker.start()
  return () => worker.stop()
}

async function terminated(): Promise<End> {
  const worker = await startRaw('raw-idle')
  return () => worker.terminate()
}

async function exiting(): Promise<End> {
  const worker = await startRaw('raw-idle')
  return () => {
    const gone = first(worker, 'exit')
    worker.postMessage('stop')
    return gone
  }
}

/** One thread after the other. */
function oneByOne(start: () => Promise<End>): (count: number) => Promise<Samples> {
  return async (count) => {
    const samples: number[] = []
    for (let index = -1; index < count; index++) {
      const end = await start()
      await pause(idleMs)
      const begun = nanoseconds()
      await end()
      if (index >= 0) samples.push(microseconds(begun))
    }
    return { stop: samples }
  }
}

export const stopIdle: Measure = {
  name: 'stop-idle',
  count: 15,
  quickCount: 1,
  sides: {
    ours: { sample: oneByOne(ours) },
    terminate: { sample: oneByOne(terminated) },
    exit: { sample: oneByOne(exiting) },
  },
  rows: [
    { name: 'stop-idle-vs-terminate', unit: 'ms', ours: 'ours.stop', raw: 'terminate.stop' },
    { name: 'stop-idle-vs-exit', unit: 'ms', ours: 'ours.stop', raw: 'exit.stop' },
  ],
}

/** Many threads at once: until the last is gone, and what the slowest took from its own request. */
function together(start: () => Promise<End>): (count: number) => Promise<Samples> {
  return async (count) => {
    const ends = await Promise.all(Array.from({ length: count }, start))
    await pause(idleMs)
    const begun = nanoseconds()
    const each = await Promise.all(
      ends.map(async (end) => {
        const asked = nanoseconds()
        await end()
        return microseconds(asked)
      }),
    )
    return { all: [microseconds(begun)], slowest: [Math.max(...each)] }
  }
}

/** The same threads, each asked when the one before is gone: what a queue of stops would take. */
async function inTurn(count: number): Promise<Samples> {
  const ends = await Promise.all(Array.from({ length: count }, ours))
  await pause(idleMs)
  const begun = nanoseconds()
  for (const end of ends) await end()
  return { all: [microseconds(begun)] }
}

export const stopMany: Measure = {
  name: 'stop-50',
  count: 50,
  quickCount: 3,
  sides: {
    ours: { sample: together(ours) },
    terminate: { sample: together(terminated) },
    inTurn: { sample: inTurn },
  },
  rows: [
    { name: 'stop-50-vs-terminate', unit: 'ms', ours: 'ours.all', raw: 'terminate.all' },
    { name: 'stop-50-vs-slowest', unit: 'ms', ours: 'ours.all', raw: 'ours.slowest' },
    { name: 'stop-50-vs-in-turn', unit: 'ms', ours: 'ours.all', raw: 'inTurn.all' },
  ],
}
