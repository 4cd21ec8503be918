/**
 * What a queue tells of itself.
 *
 * @module
 */
import { sampleThread } from '../os/proc.js'
import type { Account } from './account.js'
import type { Dispatch } from './dispatch.js'
import { Histogram, type HistogramSnapshot } from './histogram.js'
import type { Reason, Server } from './server.js'

/** A worker of a queue, as {@link WorkQueue.workers} lists it. */
export interface WorkerInfo {
  /** What `ps -T` shows behind `uw:`. */
  readonly name: string
  /**
   * The thread's id in the operating system; null before it is made, or where the system has none
   * to show.
   */
  readonly osThreadId: number | null
  readonly class: 'bounded' | 'unbounded'
  /** `frozen`: it stands still. */
  readonly state: 'booting' | 'idle' | 'busy' | 'frozen' | 'gone'
  /** The work it runs, or null; of several, the one submitted first. */
  readonly work: { readonly id: number; readonly name: string; readonly key: unknown } | null
  /** How many works it runs. */
  readonly works: number
  /**
   * Why it was made: for a work while there was no worker (`first`), for works that would wait longer
   * than its birth takes (`backlog`), because all others were inside calls that block (`blocked`), or
   * for `minWorkers` and `ready` (`minimum`).
   */
  readonly reason: Reason
  /** The CPU time it has used, in milliseconds; null where the system does not tell. */
  readonly cpuMs: number | null
}

/** What {@link WorkQueue.stats} gives. */
export interface QueueStats {
  /** Works that were submitted so far, also those that were refused. */
  readonly submitted: number
  readonly done: number
  readonly failed: number
  readonly canceled: number
  /** Works that are not settled now. */
  readonly unsettled: number
  /** Workers of each class, those included that are being made. */
  readonly workers: { readonly bounded: number; readonly unbounded: number }
  /**
   * Whether works wait because an owner's limit leaves the queue no worker: they run as soon as another
   * worker of that owner ends, or is idle.
   */
  readonly starved: boolean
  /** How long works waited, from their submission to the call of their handler. */
  readonly wait: HistogramSnapshot
  /** How long handlers ran. */
  readonly run: HistogramSnapshot
}

export function describeWorkers(accounts: Dispatch['accounts']): WorkerInfo[] {
  return [accounts.bounded, accounts.unbounded].flatMap((account) =>
    [...account.servers].map((server) => describeServer(account, server)),
  )
}

function describeServer(account: Account, server: Server): WorkerInfo {
  const works = account.worksOf(server).sort((one, other) => one.id - other.id)
  const { name, osThreadId, reason } = server
  const first = works[0]
  return {
    name,
    osThreadId,
    class: account.kind,
    state: stateOf(server, works.length),
    work: first === undefined ? null : { id: first.id, name: first.name, key: first.key },
    works: works.length,
    reason,
    cpuMs: osThreadId === null ? null : (sampleThread(osThreadId)?.cpuMs ?? null),
  }
}

function stateOf(server: Server, works: number): WorkerInfo['state'] {
  if (server.state !== 'serving') return server.state
  if (server.isStanding) return 'frozen'
  return works > 0 ? 'busy' : 'idle'
}

export function describeStats({ accounts, counts, unsettled }: Dispatch): QueueStats {
  const { bounded, unbounded } = accounts
  const both = (one: Histogram, other: Histogram): HistogramSnapshot => {
    const sum = new Histogram()
    sum.merge(one)
    sum.merge(other)
    return sum.snapshot()
  }
  return {
    ...counts,
    unsettled,
    starved: bounded.growth.isStarved || unbounded.growth.isStarved,
    workers: { bounded: bounded.servers.size, unbounded: unbounded.servers.size },
    wait: both(bounded.ends.waits, unbounded.ends.waits),
    run: both(bounded.ends.runs, unbounded.ends.runs),
  }
}
