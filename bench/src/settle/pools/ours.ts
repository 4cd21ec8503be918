/**
 * This library. What this build does not have yet is no feature of it.
 *
 * @module
 */
import { pathToFileURL } from 'node:url'
import { library, WorkQueue } from '../../library.js'
import type { Adapter, Feature, Opening, Pool } from '../row.js'
import { begun, threadFile } from './handle.js'

/** What makes the owner of a queue. */
interface Owner {
  kill(reason: Error): void
}
type MakeOwner = new (options: { name: string }) => Owner

const Owner = (library as { Owner?: MakeOwner }).Owner
const hasFreeze = 'freeze' in WorkQueue.prototype

/** @param isolation - what the workers are: threads, or processes */
export function ours(isolation: string): Adapter {
  const features: Feature[] = ['handle', 'overlap']
  if (isolation === 'thread') features.push('threads')
  if (Owner !== undefined) features.push('owner')
  if (hasFreeze) features.push('freeze')
  // oxlint-disable-next-line typescript/require-await
  return { features: new Set(features), open: async (opening) => openOurs(isolation, opening) }
}

function openOurs(isolation: string, opening: Opening): Pool {
  const { heapMb, overlap, closeDeadlineMs, loadDeadlineMs, owned } = opening
  const owner = owned === true && Owner !== undefined ? new Owner({ name: 'tenant' }) : null
  const options = {
    maxWorkers: 1,
    ...(isolation === 'thread' ? {} : { isolation }),
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    ...(overlap === undefined ? {} : { concurrency: overlap }),
    ...(closeDeadlineMs === undefined ? {} : { closeDeadlineMs }),
    ...(loadDeadlineMs === undefined ? {} : { loadDeadlineMs }),
    ...(owner === null ? {} : { owner }),
  }
  const queue = new WorkQueue(pathToFileURL(threadFile(opening, 'handlers')), options)
  const { freeze, thaw } = queue as unknown as Required<Pick<Pool, 'freeze' | 'thaw'>>
  return {
    enqueue(name, value, runOptions) {
      const work = queue.enqueue(name, [value], runOptions)
      return { result: begun(() => work.result), cancel: () => void work.cancel() }
    },
    close: () => queue.close(),
    ...(hasFreeze ? { freeze: () => freeze.call(queue), thaw: () => thaw.call(queue) } : {}),
    ...(owner === null ? {} : { killOwner: (reason) => owner.kill(reason) }),
  }
}
