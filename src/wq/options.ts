/**
 * What a queue and a work are made from.
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { parallelism } from '../os/limits.js'
import type { TransferListItem } from '../os/thread.js'
import {
  checkArray,
  checkBoolean,
  checkInteger,
  checkName,
  checkOptions,
  checkSignal,
  checkTimeMs,
  moduleUrl,
} from '../validate.js'
import {
  checkThread,
  defaultLoadDeadlineMs,
  nameOf,
  type UserWorkerOptions,
} from '../worker/index.js'
import type { ServerPlan } from './server.js'
import { QueuedWork } from './work.js'

/** The greatest number of workers in each class. */
export interface MaxWorkers {
  /** For works that finish in finite time. Default: the CPUs this process may use. */
  bounded?: number
  /** For works that may wait for ever. Default: four times the CPUs, at least 8 (C-1). */
  unbounded?: number
}

/** How a queue is to be made. */
export interface WorkQueueOptions extends Pick<
  UserWorkerOptions,
  'env' | 'argv' | 'execArgv' | 'resourceLimits' | 'nice' | 'entry'
> {
  /**
   * What its workers are called, with a number behind: `uw:img-1`. Default: the module's file name.
   */
  name?: string
  /** The greatest number of workers, from 1 to 1,024: of bounded ones, or of each class. */
  maxWorkers?: number | MaxWorkers
  /** What the module's `setup` gets in each worker. Cloned when the queue is made. */
  data?: unknown
  /** How long the module may take to load and set up, in milliseconds. Default 30,000. */
  loadDeadlineMs?: number
  /**
   * How long `close` waits for works and `teardown`, in milliseconds, before it ends threads by
   * force. Default 30,000.
   */
  closeDeadlineMs?: number
}

/** How a work is to be run. */
export interface WorkOptions {
  /**
   * Works with the same key run one after the other, in order of submission. Any value but
   * undefined, compared as by a `Map`.
   */
  key?: unknown
  /**
   * The work may wait for ever: it goes to the class of its own kind, and `close` cancels it.
   * Default false.
   */
  unbounded?: boolean
  /**
   * Rejects the work when aborted: pending works never run, running ones see their own signal
   * aborted.
   */
  signal?: AbortSignal
  /** Objects in the arguments to be moved instead of cloned. */
  transfer?: readonly TransferListItem[]
}

/** The options of a queue after checking, with every default in its place. */
export interface CheckedQueue {
  readonly name: string
  readonly max: Required<MaxWorkers>
  readonly closeDeadlineMs: number
  readonly plan: ServerPlan
}

const queueOptions = [
  'name',
  'maxWorkers',
  'data',
  'loadDeadlineMs',
  'closeDeadlineMs',
  'env',
  'argv',
  'execArgv',
  'resourceLimits',
  'nice',
  'entry',
] as const satisfies readonly (keyof WorkQueueOptions)[]

const workOptions = [
  'key',
  'unbounded',
  'signal',
  'transfer',
] as const satisfies readonly (keyof WorkOptions)[]

/** More threads than this on one queue are a mistake: at 8.5 MB each they take 8.7 GB. */
const mostWorkers = 1024

/** A handler that minds its signal ends in less; a thread that does not is ended by force. */
const defaultCloseDeadlineMs = 30_000

/**
 * Checks the arguments of `new WorkQueue`.
 *
 * @throws TypeError EINVAL
 * @throws UserWorkerError ERR_NOT_CLONEABLE for `data`, ERR_MODULE_LOAD for `entry`
 */
export function checkQueue(module: unknown, options: WorkQueueOptions): CheckedQueue {
  const of = 'WorkQueue'
  const url = moduleUrl(`${of}: the module`, module)
  checkOptions(of, options, queueOptions)
  const { name = nameOf(url), maxWorkers = {}, loadDeadlineMs = defaultLoadDeadlineMs } = options
  const {
    closeDeadlineMs = defaultCloseDeadlineMs,
    nice,
    env,
    argv,
    execArgv,
    resourceLimits,
    entry,
  } = options
  checkName(`${of}: name`, name)
  checkTimeMs(`${of}: loadDeadlineMs`, loadDeadlineMs)
  checkTimeMs(`${of}: closeDeadlineMs`, closeDeadlineMs)
  if (nice !== undefined) checkInteger(`${of}: nice`, nice, -20, 19)
  return {
    name,
    max: checkMax(maxWorkers),
    closeDeadlineMs,
    plan: {
      module: url,
      data: snapshot(options.data),
      loadDeadlineMs,
      thread: {
        ...(nice === undefined ? {} : { nice }),
        ...checkThread(of, { env, argv, execArgv, resourceLimits, entry }),
      },
    },
  }
}

/**
 * Checks what was passed to `run` or `enqueue`.
 *
 * @throws TypeError EINVAL
 */
export function checkWork(name: unknown, args: unknown, options: WorkOptions): void {
  checkName("A work's name", name)
  checkArray(`The arguments of '${String(name)}'`, args)
  checkOptions(`The work '${String(name)}'`, options, workOptions)
  if (options.signal !== undefined) checkSignal(`The signal of '${String(name)}'`, options.signal)
  if (options.unbounded !== undefined) {
    checkBoolean(`'unbounded' of '${String(name)}'`, options.unbounded)
  }
  if (options.transfer !== undefined)
    checkArray(`The transfer list of '${String(name)}'`, options.transfer)
}

/**
 * Checks the arguments of `cancel`.
 *
 * @throws TypeError EINVAL
 */
export function checkCancel(match: unknown, options: { all?: boolean }): void {
  if (typeof match !== 'function' && !(match instanceof QueuedWork)) {
    throw invalid(
      'cancel: what to cancel must be a handle of enqueue, or a function that is given each work',
    )
  }
  checkOptions('cancel', options, ['all'])
  if (options.all !== undefined) checkBoolean("cancel: 'all'", options.all)
}

function checkMax(given: number | MaxWorkers): Required<MaxWorkers> {
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

function snapshot(data: unknown): unknown {
  try {
    return structuredClone(data)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserWorkerError(
      'ERR_NOT_CLONEABLE',
      `WorkQueue: data cannot be sent to a worker: ${why}`,
      { cause },
    )
  }
}
