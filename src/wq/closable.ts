/**
 * What closing needs of a queue, from what the queue has.
 *
 * @module
 */
import type { Account } from './account.js'
import type { Closable } from './close.js'
import type { Server } from './server.js'

/** What a queue gives to its closing. */
export interface ClosableParts {
  readonly accounts: { readonly bounded: Account; readonly unbounded: Account }
  readonly begin: () => void
  /** Whether no work waits for a worker, a key, or other works. */
  readonly isDrained: () => boolean
  /** Resolves once the condition holds. */
  readonly until: (condition: () => boolean) => Promise<void>
  readonly cancelPending: (reason: Error) => void
}

/** Both classes of a queue, as its closing sees them. */
export function closableOf(
  name: string,
  deadlineMs: number,
  { accounts: { bounded, unbounded }, begin, isDrained, until, cancelPending }: ClosableParts,
): Closable {
  const servers = (): Server[] => [...bounded.servers, ...unbounded.servers]
  return {
    name,
    deadlineMs,
    servers,
    worksOf: (server) => [...bounded.worksOf(server), ...unbounded.worksOf(server)],
    begin,
    retire: () => {
      bounded.retire()
      unbounded.retire()
    },
    drained: () => until(isDrained),
    empty: () => until(() => servers().length === 0),
    cancelPending,
  }
}
