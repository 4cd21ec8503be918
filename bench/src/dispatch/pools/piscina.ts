/**
 * piscina, at its best settings: the fixed queue, no histogram, and either its own default of one
 * work per worker with blocking Atomics, or 64 works per worker without Atomics. With both, workers
 * that block would hold up the works they have already taken.
 *
 * @module
 */
import { loadPackage } from '../packages.js'
import { threadFile, type Open } from './pool.js'
import { poolOf, type RunPool } from './run-pool.js'

interface PiscinaPackage {
  readonly Piscina: new (options: object) => RunPool
  readonly FixedQueue: new () => object
}

const piscinaWith =
  (settings: object): Open =>
  async ({ workers }) => {
    const { Piscina, FixedQueue } = await loadPackage<PiscinaPackage>('piscina')
    const pool = new Piscina({
      filename: threadFile('one-argument'),
      minThreads: workers,
      maxThreads: workers,
      taskQueue: new FixedQueue(),
      recordTiming: false,
      ...settings,
    })
    return poolOf(pool)
  }

export const openPiscinaSync: Open = piscinaWith({ atomics: 'sync' })
export const openPiscinaOverlapping: Open = piscinaWith({
  atomics: 'disabled',
  concurrentTasksPerWorker: 64,
})
