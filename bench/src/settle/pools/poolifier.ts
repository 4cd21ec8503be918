/**
 * poolifier: a fixed pool of threads. Errors of its threads are heard, because they would end the
 * process otherwise.
 *
 * @module
 */
import { loadPackage } from '../../dispatch/packages.js'
import type { Adapter } from '../row.js'
import { handleBySignal, threadFile } from './handle.js'

interface FixedThreadPool {
  readonly emitter?: NodeJS.EventEmitter
  execute(value: unknown, name: string, signal?: AbortSignal): Promise<unknown>
  destroy(): Promise<void>
}

interface PoolifierPackage {
  readonly FixedThreadPool: new (workers: number, file: string, options: object) => FixedThreadPool
}

export const poolifier: Adapter = {
  features: new Set(['overlap', 'threads']),
  async open(opening) {
    const { heapMb, overlap } = opening
    const { FixedThreadPool } = await loadPackage<PoolifierPackage>('poolifier')
    const pool = new FixedThreadPool(1, threadFile(opening, 'poolifier'), {
      errorHandler: () => {},
      ...(overlap === undefined
        ? {}
        : { enableTasksQueue: true, tasksQueueOptions: { concurrency: overlap } }),
      ...(heapMb === undefined
        ? {}
        : { workerOptions: { resourceLimits: { maxOldGenerationSizeMb: heapMb } } }),
    })
    pool.emitter?.on('error', () => {})
    return {
      enqueue: (name, value, options = {}) =>
        handleBySignal(options, (signal) => pool.execute(value, name, signal)),
      close: () => pool.destroy(),
    }
  },
}
