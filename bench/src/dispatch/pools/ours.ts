/**
 * This library.
 *
 * @module
 */
import { pathToFileURL } from 'node:url'
import { threadFile, type Opening, type Pool } from './pool.js'

type Library = typeof import('../../../../dist/index.js')
type Queue = import('../../../../dist/index.js').WorkQueue

/** As many as the peers that overlap works are given. */
const overlap = 64

export async function openOurs({ workers, overlapping }: Opening): Promise<Pool> {
  const { WorkQueue } = await import('../../../../dist/index.js')
  const options = { maxWorkers: workers, ...(overlapping ? { concurrency: overlap } : {}) }
  const queue = queueWith(WorkQueue, options)
  return {
    hasKeys: true,
    add: (a, b, runOptions) =>
      runOptions === undefined ? queue.run('add', [a, b]) : queue.run('add', [a, b], runOptions),
    run: (name, value) => queue.run(name, [value]),
    workers: () => queue.workers().filter((worker) => worker.state !== 'gone').length,
  }
}

/** Versions of the library without `concurrency` refuse it: they are measured without. */
function queueWith(
  WorkQueue: Library['WorkQueue'],
  options: { maxWorkers: number; concurrency?: number },
): Queue {
  const module = pathToFileURL(threadFile('ours'))
  try {
    return new WorkQueue(module, options)
  } catch (error) {
    if (!(error instanceof Error && /there is no option/.test(error.message))) throw error
    return new WorkQueue(module, { maxWorkers: options.maxWorkers })
  }
}
