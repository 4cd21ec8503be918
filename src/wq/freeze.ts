/**
 * Freezing a queue: that of its workers, with what they run.
 *
 * @module
 */
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
  { scope, accounts }: Dispatch,
  options: Required<FreezeOptions>,
): Promise<QueueFreezeReport> {
  const { laggards } = await scope.freeze(options)
  const workOf = (name: string): string | null => {
    for (const account of [accounts.bounded, accounts.unbounded]) {
      for (const server of account.servers) {
        if (server.name === name) return account.worksOf(server)[0]?.name ?? null
      }
    }
    return null
  }
  return { laggards: laggards.map((each) => ({ ...each, work: workOf(each.name) })) }
}
