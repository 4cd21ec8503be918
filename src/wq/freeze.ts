/**
 * Freezing a queue: that of its workers, with what they run.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import type { FreezeOptions, Laggard } from '../worker/index.js'
import type { Dispatch } from './dispatch.js'

/** A queue's worker that does not stand yet. */
export interface QueueLaggard extends Laggard {
  /** The handler of the work that it runs; of several, that of the one submitted first. */
  readonly work: string | null
}

/** What became of a queue's freeze by its deadline. */
export interface QueueFreezeReport {
  /** Those that do not stand yet, and will as soon as they can. Empty: all stand. */
  readonly laggards: readonly QueueLaggard[]
}

/** Freezes a queue's workers. */
export async function freezeQueue(
  { scope, accounts, admission }: Dispatch,
  name: string,
  options: Required<FreezeOptions>,
): Promise<QueueFreezeReport> {
  const { hasEnded } = admission
  if (hasEnded instanceof UserWorkerError && hasEnded.code === 'ERR_OWNER_KILLED') throw hasEnded
  if (hasEnded !== null) throw new UserWorkerError('ENOSYS', `The queue '${name}' is closed`)
  const { laggards } = await scope.freeze(options)
  const workOf = (worker: string): string | null => {
    for (const account of [accounts.bounded, accounts.unbounded]) {
      for (const server of account.servers) {
        if (server.name === worker) return account.worksOf(server)[0]?.name ?? null
      }
    }
    return null
  }
  return { laggards: laggards.map((each) => ({ ...each, work: workOf(each.name) })) }
}
