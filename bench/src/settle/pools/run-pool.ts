/**
 * piscina, and tinypool, which began as a copy of it: with their own defaults, but for what a row asks
 * for.
 *
 * @module
 */
import { loadPackage } from '../../dispatch/packages.js'
import type { Adapter, Opening, Pool } from '../row.js'
import { handleBySignal, threadFile } from './handle.js'

interface RunPool {
  run(value: unknown, options: { name: string; signal?: AbortSignal }): Promise<unknown>
  /** piscina alone: waits for the works, at most for its `closeTimeout`. */
  close?(): Promise<void>
  destroy(): Promise<void>
}

type Package = Record<string, new (options: object) => RunPool>

function settingsOf(opening: Opening): object {
  const { heapMb } = opening
  return {
    filename: threadFile(opening, 'handlers'),
    minThreads: 1,
    maxThreads: 1,
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
  }
}

function poolOf(pool: RunPool, close: () => Promise<void>): Pool {
  return {
    enqueue: (name, value, options = {}) =>
      handleBySignal(options, (signal) => pool.run(value, { name, ...(signal && { signal }) })),
    close,
  }
}

export const piscina: Adapter = {
  features: new Set(['overlap', 'threads']),
  async open(opening) {
    const Piscina = (await loadPackage<Package>('piscina'))['Piscina'] as Package[string]
    const { overlap, closeDeadlineMs } = opening
    const pool = new Piscina({
      ...settingsOf(opening),
      ...(overlap === undefined ? {} : { concurrentTasksPerWorker: overlap, atomics: 'disabled' }),
      ...(closeDeadlineMs === undefined ? {} : { closeTimeout: closeDeadlineMs }),
    })
    // It tells of errors that no work is to blame for by an event.
    ;(pool as unknown as NodeJS.EventEmitter).on('error', () => {})
    return poolOf(pool, () => pool.close?.() ?? pool.destroy())
  },
}

export const tinypool: Adapter = {
  features: new Set(['overlap', 'threads']),
  async open(opening) {
    const Tinypool = (await loadPackage<Package>('tinypool'))['Tinypool'] as Package[string]
    const { overlap } = opening
    const pool = new Tinypool({
      ...settingsOf(opening),
      runtime: 'worker_threads',
      ...(overlap === undefined ? {} : { concurrentTasksPerWorker: overlap, useAtomics: false }),
    })
    ;(pool as unknown as NodeJS.EventEmitter).on('error', () => {})
    return poolOf(pool, () => pool.destroy())
  },
}
