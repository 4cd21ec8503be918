/**
 * workerpool, with threads, as all others here. It gives a worker one work at a time, and nothing
 * can be set about that.
 *
 * @module
 */
import { loadPackage } from '../packages.js'
import { threadFile, type Open } from './pool.js'

interface Cancellable extends PromiseLike<unknown> {
  cancel(): unknown
}

interface WorkerpoolPackage {
  pool(
    script: string,
    options: object,
  ): {
    exec(name: string, values: readonly unknown[]): Cancellable
    stats(): { totalWorkers: number }
  }
}

export const openWorkerpool: Open = async ({ workers }) => {
  const loaded = await loadPackage<{ default: WorkerpoolPackage }>('workerpool')
  const pool = loaded.default.pool(threadFile('workerpool'), {
    workerType: 'thread',
    minWorkers: workers,
    maxWorkers: workers,
  })
  const add = (a: number, b: number): Cancellable => pool.exec('add', [a, b])
  return {
    hasKeys: false,
    add: (a, b, options) => (options?.signal ? cancelledBy(options.signal, add(a, b)) : add(a, b)),
    run: (name, value) => pool.exec(name, [value]),
    workers: () => pool.stats().totalWorkers,
  }
}

/** It knows no signals: its users connect one to `cancel` themselves, and disconnect it again. */
function cancelledBy(signal: AbortSignal, work: Cancellable): PromiseLike<unknown> {
  const cancel = (): void => void work.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  const disconnect = (): void => signal.removeEventListener('abort', cancel)
  return work.then(
    (result) => {
      disconnect()
      return result
    },
    (error: unknown) => {
      disconnect()
      throw error
    },
  )
}
