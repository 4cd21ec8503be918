/**
 * tinypool, at its best settings: its own default of one work per worker with blocking Atomics, or
 * 64 works per worker without Atomics.
 *
 * @module
 */
import { loadPackage } from '../packages.js'
import { threadFile, type Open } from './pool.js'
import { poolOf, type RunPool } from './run-pool.js'

interface TinypoolPackage {
  readonly Tinypool: new (options: object) => RunPool
}

const tinypoolWith =
  (settings: object): Open =>
  async ({ workers }) => {
    const { Tinypool } = await loadPackage<TinypoolPackage>('tinypool')
    const pool = new Tinypool({
      filename: threadFile('one-argument'),
      runtime: 'worker_threads',
      minThreads: workers,
      maxThreads: workers,
      ...settings,
    })
    return poolOf(pool)
  }

export const openTinypoolSync: Open = tinypoolWith({ useAtomics: true })
export const openTinypoolOverlapping: Open = tinypoolWith({
  useAtomics: false,
  concurrentTasksPerWorker: 64,
})
