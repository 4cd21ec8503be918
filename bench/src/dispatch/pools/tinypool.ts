/**
 * tinypool, at its best settings: its own default of one work per worker with blocking Atomics, or
 * 64 works per worker without Atomics.
 *
 * @module
 */
import { loadPackage } from '../packages.js'
import { threadFile, type Open } from './pool.js'

interface Tinypool {
  readonly threads: readonly unknown[]
  run(value: unknown, options: { name: string; signal?: AbortSignal }): Promise<unknown>
}

interface TinypoolPackage {
  readonly Tinypool: new (options: object) => Tinypool
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
    const add = { name: 'add' }
    return {
      hasKeys: false,
      add: (a, b, options) =>
        pool.run({ a, b }, options?.signal ? { name: 'add', signal: options.signal } : add),
      run: (name, value) => pool.run(value, { name }),
      workers: () => pool.threads.length,
    }
  }

export const openTinypoolSync: Open = tinypoolWith({ useAtomics: true })
export const openTinypoolOverlapping: Open = tinypoolWith({
  useAtomics: false,
  concurrentTasksPerWorker: 64,
})
