/**
 * How many workers a queue may have, and how many works each of them runs.
 *
 * @module
 */
import { invalid } from '../errors.js'
import { parallelism } from '../os/limits.js'
import { seats } from '../ring/index.js'
import { checkInteger, checkOptions } from '../validate.js'

/** The greatest number of workers in each class. */
export interface MaxWorkers {
  /** For works that finish in finite time. Default: the CPUs this process may use. */
  bounded?: number
  /** For works that may wait for ever. Default: four times the CPUs, at least 8 (C-1). */
  unbounded?: number
}

/** How many works one worker runs at a time. */
export interface Concurrency {
  bounded?: number
  unbounded?: number
}

/** More threads than this on one queue are a mistake: at 8.5 MB each they take 8.7 GB. */
const mostWorkers = seats

/** Works on one thread that await. More of them would not find the time to answer. */
const mostConcurrency = 1000

/**
 * Checks the arguments of `setMaxWorkers`.
 *
 * @throws TypeError EINVAL
 */
export function checkNewMax(given: MaxWorkers): void {
  checkOptions('setMaxWorkers', given, ['bounded', 'unbounded'])
  const { bounded, unbounded } = given
  if (bounded !== undefined) checkInteger('setMaxWorkers: bounded', bounded, 1, mostWorkers)
  if (unbounded !== undefined) checkInteger('setMaxWorkers: unbounded', unbounded, 1, mostWorkers)
}

/** Checks `maxWorkers`. @throws TypeError EINVAL */
export function checkMax(given: number | MaxWorkers): Required<MaxWorkers> {
  const cpus = parallelism()
  if (typeof given !== 'number') {
    if (typeof given !== 'object' || given === null) {
      throw invalid(
        'WorkQueue: maxWorkers must be a number, or an object such as { bounded: 4, unbounded: 16 }',
      )
    }
    checkOptions('WorkQueue: maxWorkers', given, ['bounded', 'unbounded'])
  }
  const { bounded = cpus, unbounded = Math.max(8, 4 * cpus) } =
    typeof given === 'number' ? { bounded: given } : given
  checkInteger('WorkQueue: maxWorkers.bounded', bounded, 1, mostWorkers)
  checkInteger('WorkQueue: maxWorkers.unbounded', unbounded, 1, mostWorkers)
  return { bounded, unbounded }
}

/** Checks `concurrency`. @throws TypeError EINVAL */
export function checkConcurrency(given: number | Concurrency): Required<Concurrency> {
  if (typeof given !== 'number') {
    checkOptions('WorkQueue: concurrency', given, ['bounded', 'unbounded'])
  }
  const { bounded = 1, unbounded = 16 } = typeof given === 'number' ? { bounded: given } : given
  checkInteger('WorkQueue: concurrency.bounded', bounded, 1, mostConcurrency)
  checkInteger('WorkQueue: concurrency.unbounded', unbounded, 1, mostConcurrency)
  return { bounded, unbounded }
}
