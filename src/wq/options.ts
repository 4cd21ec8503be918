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
  checkNumber,
  checkOptions,
  checkSignal,
  checkTimeMs,
  moduleUrl,
} from '../validate.js'
import {
  checkCpus,
  checkPreload,
  checkThread,
  defaultLoadDeadlineMs,
  nameOf,
  ownerOf,
  Scope,
  scopeOf,
  type UserWorkerOptions,
} from '../worker/index.js'
import { levels, type Level } from '../ring/index.js'
import type { Limits } from './growth.js'
import { KeySpace } from './keys.js'
import { checkConcurrency, checkMax, type Concurrency, type MaxWorkers } from './maxima.js'
import { checkIsolation, notCarried, whatIsShared } from './process/index.js'
import { Output } from './output.js'
import { noModule } from './protocol.js'
import type { ServerPlan } from './server-plan.js'
import { QueuedWork, type Work } from './work.js'

/** How a queue is to be made. */
export interface WorkQueueOptions extends Pick<
  UserWorkerOptions,
  | 'owner'
  | 'env'
  | 'argv'
  | 'execArgv'
  | 'preload'
  | 'resourceLimits'
  | 'nice'
  | 'entry'
  | 'stdout'
  | 'stderr'
> {
  /**
   * What its workers are called, with a number behind: `uw:img-1`. Default: the module's file name.
   */
  name?: string
  /** The greatest number of workers, from 1 to 1,024: of bounded ones, or of each class. */
  maxWorkers?: number | MaxWorkers
  /**
   * Bounded workers that are kept even when idle, from 0 to `maxWorkers`; made when the first work
   * comes, or by {@link WorkQueue.ready}. Default 0: then the last one of each class stays
   * (INV-IOWQ-13).
   */
  minWorkers?: number
  /**
   * How many works a worker runs at a time, while they await: from 1 to 1,000 for bounded works, or
   * for each class. Default 1 for bounded works, 16 for unbounded ones, which wait more than they
   * run.
   */
  concurrency?: number | Concurrency
  /**
   * After so long without a work, in milliseconds, a worker leaves (WQ-72); the last of its class
   * only while an owner's limit is reached. Infinity: never. Default 5,000.
   */
  idleTimeoutMs?: number
  /** The most works that may be unsettled at a time, from 1. Default: no limit. */
  queueLimit?: number
  /**
   * What happens to a work beyond `queueLimit`: it is rejected with EAGAIN (`reject`, the default), or
   * takes the place of the oldest pending one, which is cancelled (`cancel-oldest`).
   */
  onFull?: 'reject' | 'cancel-oldest'
  /**
   * Workers are replaced after so many works, or when their memory, heap and buffers, is more than
   * this. Default: never.
   */
  recycle?: { works?: number; heapMb?: number }
  /** The CPUs that the workers may run on, as {@link UserWorkerOptions.cpus}. */
  cpus?: readonly number[] | 'all'
  /** Keys that this queue has in common with other queues of the thread. Default: it has its own. */
  keySpace?: KeySpace
  /** What the module's `setup` gets in each worker. Cloned when the queue is made. */
  data?: unknown
  /**
   * Where the handlers run: in threads of this process (`thread`, the default), or each worker's in a
   * child process of its own (`process`), whose crash harms nobody else. Then transfer lists and shared
   * memory are refused with ENOTSUP.
   */
  isolation?: 'thread' | 'process'
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
  /** Works of a higher priority are taken first. Keys come before: their order holds. Default normal. */
  priority?: Level
  /**
   * How long the handler may run, in milliseconds. Then the work rejects with ETIME, its signal is
   * aborted, and `killAfterMs` counts. Default: for ever.
   */
  timeoutMs?: number
  /**
   * How long after it was told to end (by a cancel, its signal or its time-out) its thread is ended by
   * force, in milliseconds; that thread is replaced, and other works that it ran fail with
   * ERR_WORKER_DIED and `innocent: true`. Default: never, and 1,000 after a time-out.
   */
  killAfterMs?: number
  /**
   * Works of this queue that must be done first: it is cancelled if one of them is not (WQ-36).
   */
  after?: Work | readonly Work[]
  /**
   * False: it waits for a worker that runs rather than be given a new one (WQ-15). Default true.
   */
  concurrent?: boolean
  /** Gets what the handler passes to `current().progress()`. */
  onProgress?: (value: unknown) => void
}

/** The options of a queue after checking, with every default in its place. */
export interface CheckedQueue {
  readonly name: string
  readonly max: Required<MaxWorkers>
  readonly minWorkers: number
  readonly idleTimeoutMs: number
  readonly queueLimit: number
  readonly onFull: 'reject' | 'cancel-oldest'
  readonly keySpace: KeySpace | null
  readonly closeDeadlineMs: number
  /** That of its workers, below its owner's. */
  readonly scope: Scope
  readonly plan: ServerPlan
}

const queueOptions = [
  'name',
  'owner',
  'maxWorkers',
  'minWorkers',
  'concurrency',
  'idleTimeoutMs',
  'queueLimit',
  'onFull',
  'recycle',
  'keySpace',
  'isolation',
  'cpus',
  'data',
  'loadDeadlineMs',
  'closeDeadlineMs',
  'env',
  'argv',
  'execArgv',
  'preload',
  'resourceLimits',
  'nice',
  'entry',
  'stdout',
  'stderr',
] as const satisfies readonly (keyof WorkQueueOptions)[]

const workOptions = [
  'key',
  'unbounded',
  'signal',
  'transfer',
  'priority',
  'timeoutMs',
  'killAfterMs',
  'after',
  'concurrent',
  'onProgress',
] as const satisfies readonly (keyof WorkOptions)[]

/** As in the kernel (WQ-72). */
const defaultIdleTimeoutMs = 5000

/** A handler that minds its signal ends in less; a thread that does not is ended by force. */
const defaultCloseDeadlineMs = 30_000

/**
 * Checks the arguments of `new WorkQueue`.
 *
 * @throws TypeError EINVAL
 * @throws UserWorkerError ERR_NOT_CLONEABLE for `data`, ERR_MODULE_LOAD for `entry`, ENOTSUP for what a
 * child process cannot have; ENOSYS, ERR_OWNER_KILLED for `owner`
 */
export function checkQueue(module: unknown, options: WorkQueueOptions): CheckedQueue {
  const of = 'WorkQueue'
  const url = module === null ? noModule : moduleUrl(`${of}: the module`, module)
  checkOptions(of, options, queueOptions)
  const { name = nameOf(url), maxWorkers = {}, loadDeadlineMs = defaultLoadDeadlineMs } = options
  const {
    closeDeadlineMs = defaultCloseDeadlineMs,
    nice,
    cpus,
    env,
    argv,
    execArgv,
    resourceLimits,
    entry,
    stdout,
    stderr,
  } = options
  checkName(`${of}: name`, name)
  checkTimeMs(`${of}: loadDeadlineMs`, loadDeadlineMs)
  checkTimeMs(`${of}: closeDeadlineMs`, closeDeadlineMs)
  if (nice !== undefined) checkInteger(`${of}: nice`, nice, -20, 19)
  if (cpus !== undefined) checkCpus(`${of}: cpus`, cpus)
  const max = checkMax(maxWorkers)
  const above = scopeOf(`${of}: owner`, options.owner)
  if (above.refusal !== null) throw above.refusal
  const scope = new Scope(name, above)
  const thread = checkThread(of, { env, argv, execArgv, resourceLimits, entry, stdout, stderr })
  const preload = checkPreload(of, options.preload)
  const child = checkIsolation(options.isolation ?? 'thread', thread, preload)
  // They are the child's: its thread only passes on what it says.
  if (child !== null) delete thread.resourceLimits
  return {
    name,
    max,
    ...checkLimits(options, max.bounded),
    keySpace: checkKeySpace(options.keySpace),
    closeDeadlineMs,
    scope,
    plan: {
      module: url,
      data: snapshot(options.data, child !== null),
      loadDeadlineMs,
      concurrency: checkConcurrency(options.concurrency ?? {}),
      recycle: checkRecycle(options.recycle ?? {}),
      spins: parallelism() > 1,
      child,
      output: new Output(options),
      thread: {
        owner: ownerOf(scope),
        preload: child === null ? preload : [],
        ...(nice === undefined ? {} : { nice }),
        ...(cpus === undefined ? {} : { cpus }),
        ...thread,
      },
    },
  }
}

/** How many workers a class may have. */
export function limitsOf(
  { max, minWorkers, idleTimeoutMs }: CheckedQueue,
  kind: 'bounded' | 'unbounded',
): Limits {
  return { max: max[kind], min: kind === 'bounded' ? minWorkers : 0, idleTimeoutMs }
}

function checkLimits(
  options: WorkQueueOptions,
  most: number,
): Pick<CheckedQueue, 'minWorkers' | 'idleTimeoutMs' | 'queueLimit' | 'onFull'> {
  const { minWorkers = 0, idleTimeoutMs = defaultIdleTimeoutMs } = options
  const { queueLimit = Infinity, onFull = 'reject' } = options
  checkInteger('WorkQueue: minWorkers', minWorkers, 0, most)
  if (idleTimeoutMs !== Infinity) checkTimeMs('WorkQueue: idleTimeoutMs', idleTimeoutMs)
  if (queueLimit !== Infinity) {
    checkInteger('WorkQueue: queueLimit', queueLimit, 1, Number.MAX_SAFE_INTEGER)
  }
  checkChoice('WorkQueue: onFull', onFull, ['reject', 'cancel-oldest'])
  return { minWorkers, idleTimeoutMs, queueLimit, onFull }
}

function checkKeySpace(given: unknown): KeySpace | null {
  if (given === undefined) return null
  if (given instanceof KeySpace) return given
  throw invalid('WorkQueue: keySpace must be made by new KeySpace()')
}

function checkRecycle(given: { works?: number; heapMb?: number }): ServerPlan['recycle'] {
  checkOptions('WorkQueue: recycle', given, ['works', 'heapMb'])
  const { works = null, heapMb = null } = given
  if (works !== null) checkInteger('WorkQueue: recycle.works', works, 1, Number.MAX_SAFE_INTEGER)
  if (heapMb !== null) checkNumber('WorkQueue: recycle.heapMb', heapMb, 1, Number.MAX_SAFE_INTEGER)
  return { works, heapMb }
}

/**
 * Checks what was passed to `run` or `enqueue`.
 *
 * @throws TypeError EINVAL
 */
export function checkWork(name: unknown, args: unknown, options: WorkOptions | undefined): void {
  const isHandler = typeof name === 'function' || (typeof name === 'string' && name !== '')
  if (!isHandler) checkName("A work's name", name)
  if (!Array.isArray(args)) checkArray(`The arguments of '${nameOfHandler(name)}'`, args)
  if (options !== undefined) checkWorkOptions(nameOfHandler(name), options)
}

function nameOfHandler(handler: unknown): string {
  return typeof handler === 'function' ? handler.name || 'function' : String(handler)
}

function checkWorkOptions(name: string, options: WorkOptions): void {
  checkOptions(`The work '${name}'`, options, workOptions)
  const { signal, unbounded, transfer, priority, timeoutMs, killAfterMs, concurrent } = options
  if (signal !== undefined) checkSignal(`The signal of '${name}'`, signal)
  if (unbounded !== undefined) checkBoolean(`'unbounded' of '${name}'`, unbounded)
  if (transfer !== undefined) checkArray(`The transfer list of '${name}'`, transfer)
  if (priority !== undefined) checkChoice(`The priority of '${name}'`, priority, levels)
  if (timeoutMs !== undefined) checkTimeMs(`'timeoutMs' of '${name}'`, timeoutMs)
  if (killAfterMs !== undefined) checkTimeMs(`'killAfterMs' of '${name}'`, killAfterMs)
  if (concurrent !== undefined) checkBoolean(`'concurrent' of '${name}'`, concurrent)
  if (options.after !== undefined) checkAfter(name, options.after)
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    throw invalid(`'onProgress' of '${name}' must be a function`)
  }
}

function checkAfter(name: string, after: unknown): void {
  const works: unknown[] = Array.isArray(after) ? after : [after]
  if (works.every((work) => work instanceof QueuedWork)) return
  throw invalid(`'after' of '${name}' must be a handle of enqueue, or an array of them`)
}

function checkChoice(what: string, value: unknown, choices: readonly string[]): void {
  if (typeof value === 'string' && choices.includes(value)) return
  throw invalid(`${what} must be one of ${choices.join(', ')}, not ${String(value)}`)
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

/**
 * Checks the arguments of `flush`.
 *
 * @throws TypeError EINVAL
 */
export function checkFlush(options: object): void {
  checkOptions('flush', options, ['key'])
}

function snapshot(data: unknown, mustBeCarried: boolean): unknown {
  try {
    const copy: unknown = structuredClone(data)
    const shared = mustBeCarried ? whatIsShared(copy) : null
    if (shared !== null) throw notCarried('WorkQueue: data', shared)
    return copy
  } catch (cause) {
    if (cause instanceof UserWorkerError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserWorkerError(
      'ERR_NOT_CLONEABLE',
      `WorkQueue: data cannot be sent to a worker: ${why}`,
      { cause },
    )
  }
}
