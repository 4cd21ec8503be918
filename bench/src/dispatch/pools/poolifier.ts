/**
 * poolifier, with a fixed number of threads and without events, which nobody listens to here;
 * either works go to threads at once, or through its queue with 64 works per worker.
 *
 * @module
 */
import { loadPackage } from '../packages.js'
import { threadFile, type Open } from './pool.js'

interface FixedThreadPool {
  readonly info: { readonly workerNodes: number }
  execute(value: unknown, name: string, signal?: AbortSignal): Promise<unknown>
}

interface PoolifierPackage {
  readonly FixedThreadPool: new (workers: number, file: string, options: object) => FixedThreadPool
}

const poolifierWith =
  (settings: object): Open =>
  async ({ workers }) => {
    const { FixedThreadPool } = await loadPackage<PoolifierPackage>('poolifier')
    const pool = new FixedThreadPool(workers, threadFile('poolifier'), {
      enableEvents: false,
      errorHandler: (error: Error) => {
        throw error
      },
      ...settings,
    })
    return {
      hasKeys: false,
      add: (a, b, options) => pool.execute({ a, b }, 'add', options?.signal),
      run: (name, value) => pool.execute(value, name),
      workers: () => pool.info.workerNodes,
    }
  }

export const openPoolifierDirect: Open = poolifierWith({ enableTasksQueue: false })
export const openPoolifierQueued: Open = poolifierWith({
  enableTasksQueue: true,
  tasksQueueOptions: { concurrency: 64 },
})
