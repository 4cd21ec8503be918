/**
 * This library.
 *
 * @module
 */
import { pathToFileURL } from 'node:url'
import { Owner, WorkQueue, type WorkQueueOptions } from '../../library.js'
import type { Adapter, Feature, Opening, Pool } from '../row.js'
import { begun, threadFile } from './handle.js'

/** @param isolation - what the workers are: threads, or processes */
export function ours(isolation: string): Adapter {
  const features: Feature[] = ['freeze', 'handle', 'overlap', 'owner']
  features.push(isolation === 'thread' ? 'threads' : 'processes')
  // oxlint-disable-next-line typescript/require-await
  return { features: new Set(features), open: async (opening) => openOurs(isolation, opening) }
}

function openOurs(isolation: string, opening: Opening): Pool {
  const { heapMb, overlap, closeDeadlineMs, loadDeadlineMs, owned } = opening
  const owner = owned === true ? new Owner({ name: 'tenant' }) : null
  const options: WorkQueueOptions = {
    maxWorkers: 1,
    ...(isolation === 'process' ? { isolation } : {}),
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    ...(overlap === undefined ? {} : { concurrency: overlap }),
    ...(closeDeadlineMs === undefined ? {} : { closeDeadlineMs }),
    ...(loadDeadlineMs === undefined ? {} : { loadDeadlineMs }),
    ...(owner === null ? {} : { owner }),
  }
  const queue = new WorkQueue(pathToFileURL(threadFile(opening, 'handlers')), options)
  return {
    enqueue(name, value, runOptions) {
      const work = queue.enqueue(name, [value], runOptions)
      return { result: begun(() => work.result), cancel: () => void work.cancel() }
    },
    close: () => queue.close(),
    freeze: () => queue.freeze(),
    thaw: () => queue.thaw(),
    ...(owner === null ? {} : { killOwner: (reason) => owner.kill(reason) }),
  }
}
