/**
 * Which CPUs a worker's thread may run on (KT-6, BUG-UW-9).
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { hasLibc, setAffinity, type AffinityOutcome } from '../os/affinity.js'
import { allCpus } from '../os/limits.js'

/** CPUs by their numbers, or every one that the process may use. */
export type Cpus = readonly number[] | 'all'

/**
 * Refuses to bind where nothing can, before there is a thread.
 *
 * @throws UserWorkerError ENOTSUP
 */
export function checkBindable(): void {
  if (!hasLibc()) throw notSupported()
}

/**
 * Binds a thread, where that is possible. For all CPUs, the system leaves out those that the
 * process's cgroup forbids.
 */
export function bindThread(tid: number | null, cpus: Cpus): AffinityOutcome {
  const numbers = cpus === 'all' ? allCpus() : cpus
  return tid === null || numbers === null ? 'unsupported' : setAffinity(tid, numbers)
}

/** The error for a thread that was not bound. */
export function bindError(outcome: Exclude<AffinityOutcome, 'set'>, cpus: Cpus): Error {
  if (outcome === 'unsupported') return notSupported()
  if (outcome === 'not-found') {
    return new UserWorkerError('ENOSYS', 'The worker to be bound has exited')
  }
  if (outcome === 'refused') {
    return new UserWorkerError('ENOTSUP', 'The system does not let this process bind its threads')
  }
  const online = String(allCpus())
  return invalid(`This process may use none of the CPUs ${String(cpus)}. Online are ${online}`)
}

function notSupported(): UserWorkerError {
  return new UserWorkerError(
    'ENOTSUP',
    'The CPUs of a thread can be set on Linux only, with the package koffi: npm install koffi',
  )
}
