/**
 * workerpool, with threads. A work has a time-out and can be cancelled by its own promise; its users
 * connect signals to that themselves.
 *
 * @module
 */
import { loadPackage } from '../../dispatch/packages.js'
import type { Adapter, Handle, RunOptions } from '../row.js'
import { begun, threadFile } from './handle.js'

interface Work extends PromiseLike<unknown> {
  cancel(): unknown
  timeout(ms: number): Work
}

interface Workerpool {
  pool(
    script: string,
    options: object,
  ): {
    exec(name: string, values: readonly unknown[]): Work
    terminate(force: boolean, timeoutMs?: number): PromiseLike<unknown>
  }
}

export const workerpool: Adapter = {
  features: new Set(['handle', 'threads']),
  async open(opening) {
    const { heapMb, closeDeadlineMs } = opening
    const loaded = await loadPackage<{ default: Workerpool }>('workerpool')
    const pool = loaded.default.pool(threadFile(opening, 'workerpool'), {
      workerType: 'thread',
      minWorkers: 1,
      maxWorkers: 1,
      ...(heapMb === undefined
        ? {}
        : { workerThreadOpts: { resourceLimits: { maxOldGenerationSizeMb: heapMb } } }),
    })
    return {
      enqueue: (name, value, options = {}) => handleOf(options, () => pool.exec(name, [value])),
      close: () => pool.terminate(false, closeDeadlineMs),
    }
  },
}

function handleOf({ signal, timeoutMs }: RunOptions, exec: () => Work): Handle {
  let cancel = (): void => {}
  const result = begun(() => {
    const work = exec()
    cancel = () => void work.cancel()
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    return timeoutMs === undefined ? work : work.timeout(timeoutMs)
  })
  return { result, cancel: () => cancel() }
}
