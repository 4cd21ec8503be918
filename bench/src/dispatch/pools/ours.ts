/**
 * This library.
 *
 * @module
 */
import { pathToFileURL } from 'node:url'
import { threadFile, type Opening, type Pool } from './pool.js'

/** As many as the peers that overlap works are given. */
const overlap = 64

/** All workers are kept, as the peers are told to. */
export async function openOurs({ workers, overlapping }: Opening): Promise<Pool> {
  const { WorkQueue } = await import('../../library.js')
  const queue = new WorkQueue(pathToFileURL(threadFile('ours')), {
    maxWorkers: workers,
    minWorkers: workers,
    ...(overlapping ? { concurrency: overlap } : {}),
  })
  return {
    hasKeys: true,
    add: (a, b, runOptions) =>
      runOptions === undefined ? queue.run('add', [a, b]) : queue.run('add', [a, b], runOptions),
    run: (name, value) => queue.run(name, [value]),
    workers: () => queue.workers().filter((worker) => worker.state !== 'gone').length,
  }
}
