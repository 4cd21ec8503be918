/**
 * Closing queues when the system asks the process to end.
 *
 * | state    | holds                                | left by                                        |
 * | -------- | ------------------------------------ | ---------------------------------------------- |
 * | watching | it listens for the signals           | a signal: draining; its function: gone         |
 * | draining | the queues close                     | all closed, or the deadline: done; a signal    |
 * | done     | others, if any, drain for the signal | the last one ends the process                  |
 * | gone     | it listens no more                   | nobody                                         |
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { builtin } from '../os/builtin.js'
import { deadline } from '../os/clock.js'
import { isMainThread } from '../os/thread.js'
import { checkArray, checkOptions, checkTimeMs } from '../validate.js'
import { WorkQueue } from './queue.js'

/** Signals that a program can hear and that end it by default. */
const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** A signal that {@link drainOnSignal} can wait for. */
export type DrainSignal = (typeof endingSignals)[number]

/** Options of {@link drainOnSignal}. */
export interface DrainOptions {
  /** Default: SIGTERM and SIGINT. */
  signals?: readonly DrainSignal[]
  /**
   * The process ends at the latest so many milliseconds after the signal, 0 to 2,147,483,647.
   * Default: when the queues are closed, each of which is bounded by its own `closeDeadlineMs`.
   */
  deadlineMs?: number
}

/** Takes a {@link drainOnSignal} back. Without effect once a signal has come. */
export interface TakeBack {
  (): void
  [Symbol.dispose](): void
}

/** How many drains a signal has begun that are not done. The last one ends the process. */
let draining = 0

/**
 * Ends the process in order when a signal asks for its end: the queues close, that is, bounded works
 * finish and unbounded ones are cancelled; then the process ends by the same signal, so that whoever
 * started it sees the usual status. A second signal ends it at once.
 *
 * Other listeners for the signals are called as ever, and have until then to do what they do: when the
 * queues are closed, the process ends. A program that has more to finish listens for the signal itself
 * and awaits `queue.close()`.
 *
 * @param queues - a queue, or several
 * @returns a function that takes it back
 * @throws TypeError EINVAL: an argument is wrong
 * @throws UserWorkerError ENOTSUP: this is not the main thread; signals reach no other (SG-1)
 * @example
 * ```ts
 * drainOnSignal(queue, { deadlineMs: 10_000 })
 * ```
 */
export function drainOnSignal(
  queues: WorkQueue<never> | readonly WorkQueue<never>[],
  options: DrainOptions = {},
): TakeBack {
  const all = Array.isArray(queues) ? (queues as readonly WorkQueue[]) : [queues as WorkQueue]
  const { signals, deadlineMs } = check(all, options)
  if (!isMainThread) {
    const text = 'drainOnSignal: signals reach the main thread alone: call it there'
    throw new UserWorkerError('ENOTSUP', text)
  }
  let isDraining = false
  const hear = (signal: DrainSignal): void => {
    if (isDraining) endBy(signal)
    isDraining = true
    draining++
    let isDone = false
    const drained = (): void => {
      if (!isDone && --draining === 0) endBy(signal)
      isDone = true
    }
    if (deadlineMs !== null) deadline(deadlineMs, drained)
    void Promise.allSettled(all.map((queue) => queue.close())).then(drained)
  }
  for (const signal of signals) process.on(signal, hear)
  const takeBack = (): void => {
    if (isDraining) return
    for (const signal of signals) process.off(signal, hear)
  }
  return Object.assign(takeBack, { [Symbol.dispose]: takeBack })
}

function check(
  queues: readonly WorkQueue[],
  options: DrainOptions,
): { signals: ReadonlySet<DrainSignal>; deadlineMs: number | null } {
  if (queues.length === 0 || !queues.every((queue) => queue instanceof WorkQueue)) {
    throw invalid('drainOnSignal: queues must be a WorkQueue or several')
  }
  checkOptions('drainOnSignal', options, ['signals', 'deadlineMs'])
  const { signals = ['SIGTERM', 'SIGINT'], deadlineMs } = options
  checkArray('drainOnSignal: signals', signals)
  for (const signal of signals as readonly unknown[]) {
    if (endingSignals.includes(signal as DrainSignal)) continue
    const names = endingSignals.join(', ')
    throw invalid(`drainOnSignal: signals must be some of ${names}, not ${String(signal)}`)
  }
  if (deadlineMs !== undefined) checkTimeMs('drainOnSignal: deadlineMs', deadlineMs)
  return { signals: new Set(signals), deadlineMs: deadlineMs ?? null }
}

/** Ends this process as the signal does where nobody listens for it. */
function endBy(signal: DrainSignal): never {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // The first process of a container is not ended by its own signals: pid_namespaces(7).
  process.exit(128 + builtin('node:os').constants.signals[signal])
}
