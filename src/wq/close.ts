/**
 * Closing a queue, bounded in time.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { deadline } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { killGraceMs, type Server } from './server.js'
import type { QueuedWork } from './work.js'

/** What `close` had to do by force. */
export interface CloseReport {
  /** The workers that had not ended by the deadline, and what they were running. */
  readonly stuck: readonly StuckWorker[]
}

/** A worker that was ended by force. */
export interface StuckWorker {
  readonly name: string
  readonly osThreadId: number | null
  /**
   * The handler's name, or null when it was the module's loading or `teardown` that did not end.
   */
  readonly work: string | null
}

/** What closing needs of a queue. */
export interface Closable {
  readonly name: string
  readonly deadlineMs: number
  servers(): Server[]
  /** The works that a server runs. */
  worksOf(server: Server): QueuedWork[]
  /** Refuse works and new workers; cancel what need not finish. */
  begin(): void
  /** Let every server finish the work it has, tear down and end. */
  retire(): void
  /** Resolves when no work waits for a server or a key. */
  drained(): Promise<void>
  /** Resolves when there is no server. */
  empty(): Promise<void>
  cancelPending(reason: Error): void
}

/**
 * Ends a queue: waits until no work is pending, lets each server finish, tear down and end, and
 * after the deadline ends by force those that have not.
 */
export async function closeQueue(queue: Closable): Promise<CloseReport> {
  const closed = new Pending<CloseReport>(`close of '${queue.name}'`)
  const stuck = new Map<Server, StuckWorker>()
  const report = (): CloseReport => ({ stuck: [...stuck.values()] })
  const end = (server: Server, reason: Error): void => {
    if (stuck.has(server)) return
    const { name, osThreadId } = server
    stuck.set(server, { name, osThreadId, work: queue.worksOf(server)[0]?.name ?? null })
    server.kill(reason)
  }
  const limit = deadline(queue.deadlineMs, () => {
    const reason = new UserWorkerError(
      'ECANCELED',
      `The queue '${queue.name}' was closed, and this work had not ended by closeDeadlineMs, ${queue.deadlineMs} ms`,
    )
    queue.cancelPending(reason)
    for (const server of queue.servers()) {
      // An idle one was waiting for a key; it may tear down while the others are ended.
      const isIdle = server.state === 'serving' && queue.worksOf(server).length === 0
      if (!isIdle || server.isRetiring) end(server, reason)
    }
    queue.retire()
    deadline(killGraceMs, () => {
      for (const server of queue.servers()) {
        end(server, reason)
        // Nothing is open once this is closed: no work comes that its thread could meddle with.
        server.abandon()
      }
      closed.resolve(report())
    })
  })
  queue.begin()
  void queue
    .drained()
    .then(() => queue.retire())
    .then(() => queue.empty())
    .then(() => closed.resolve(report()))
  try {
    return await closed.promise
  } finally {
    limit.cancel()
  }
}
