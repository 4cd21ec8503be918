/**
 * What a worker is made from.
 *
 * @module
 */
import { basename } from 'node:path'
import { invalid } from '../errors.js'
import { SHARE_ENV, type TransferListItem, type WorkerOptions } from '../os/thread.js'
import {
  checkArray,
  checkBoolean,
  checkInteger,
  checkNumber,
  checkObject,
  checkStrings,
  checkName,
  checkOptions,
  checkSignal,
  checkTimeMs,
  moduleUrl,
} from '../validate.js'
import { checkEntry } from './beginning.js'
import { inheritedExecArgv, optionOfTheProcess } from './inherit.js'
import { scopeOf, type Owner } from './owner.js'
import type { Scope } from './scope.js'

/** How a worker is to be made. */
export interface UserWorkerOptions<Data = unknown> {
  /**
   * What the operating system shows as `uw:<name>`, cut to 15 bytes, and what messages call it
   * (UW-10). Default: the module's file name without its ending.
   */
  name?: string
  /** Whose it is. Default: `Owner.current()`, the thread that makes it. */
  owner?: Owner
  /** The function's first argument. It is cloned like a message. */
  data?: Data
  /** Objects in `data` to be moved instead of cloned. */
  transfer?: readonly TransferListItem[]
  /**
   * The thread's priority for the scheduler, from -20 (first) to 19 (last). Below 0 needs a
   * privilege; a refusal is ignored.
   */
  nice?: number
  /**
   * The CPUs the thread may run on, as {@link UserWorker.bind} takes them. Default: those of the
   * thread that makes it.
   */
  cpus?: readonly number[] | 'all'
  /**
   * A clean identity, as a kthread has (KT-1), instead of the owner's: no environment, no arguments,
   * no options of Node, and, where CPU sets can be set, all CPUs (BUG-UW-9). What is given beside
   * it counts. Default false.
   */
  clean?: boolean
  /** How long the module may take to load, in milliseconds. Default 30,000. */
  loadDeadlineMs?: number
  /**
   * Gives the creation up when aborted: the thread is ended, and `create` rejects with ABORT_ERR.
   */
  signal?: AbortSignal
  /**
   * The thread's `process.env`: a copy of the owner's (default), that of the owner itself
   * (`SHARE_ENV`), or this one.
   */
  env?: NodeJS.ProcessEnv | typeof SHARE_ENV
  /** What the thread finds behind the script in its `process.argv`. Default: nothing. */
  argv?: readonly string[]
  /** Node's options for the thread. Default: those of the owner's thread. */
  execArgv?: readonly string[]
  /**
   * Modules that the thread imports before its own, one after the other, as URLs or absolute paths:
   * what registers hooks, polyfills or carriers there. What the owner registered at run time reaches
   * no thread otherwise.
   */
  preload?: readonly (URL | string)[]
  /** V8's limits for the thread's heap and stack. */
  resourceLimits?: WorkerOptions['resourceLimits']
  /**
   * The file in which the thread begins, as a URL or an absolute path: what a bundler made of
   * `userworker/entry`. Needed where the library is in a bundle, and only there.
   */
  entry?: URL | string
  /**
   * Whether what the thread writes to its standard output is captured: then it is read from {@link
   * UserWorker.stdout}. Default false: it goes to that of the process, as Node does it.
   */
  stdout?: boolean
  /** As {@link stdout}, for the standard error output. */
  stderr?: boolean
  /**
   * For a worker that blocks where no message reaches it, as in a system call: called in the owner's
   * thread each time that something is asked of the worker, so that it can be roused, by a descriptor
   * it waits for, say. Then it asks `self` what there is. A {@link loop} blocks so in its option `sleep`.
   */
  bell?: () => void
}

/** The options that cannot change once a thread runs: see {@link UserWorker.spares}. */
export type SpareOptions = Pick<
  UserWorkerOptions,
  'env' | 'execArgv' | 'resourceLimits' | 'clean' | 'entry' | 'stdout' | 'stderr'
>

/** How long to wait. */
export interface StopOptions {
  /** How long to wait for the end, in milliseconds. Default: for ever. */
  deadlineMs?: number
}

/** The options for the thread itself, after checking. */
export interface ThreadOptions {
  env?: NodeJS.ProcessEnv | typeof SHARE_ENV
  argv?: string[]
  execArgv?: string[]
  resourceLimits?: NonNullable<WorkerOptions['resourceLimits']>
  /** As an absolute URL. */
  entry?: string
  stdout?: boolean
  stderr?: boolean
}

type GivenThreadOptions = {
  readonly [Name in keyof ThreadOptions]: UserWorkerOptions[Name] | undefined
}

/** The options after checking, with every default in its place. */
export interface CheckedOptions {
  readonly module: string
  readonly preload: readonly string[]
  readonly name: string
  readonly data: unknown
  readonly transfer: readonly TransferListItem[]
  readonly nice: number | null
  readonly cpus: readonly number[] | 'all' | null
  /** Whether `cpus` is what the caller asked for; else it is only wished for. */
  readonly mustBind: boolean
  readonly loadDeadlineMs: number
  readonly signal: AbortSignal | null
  readonly scope: Scope
  readonly bell: () => void
  readonly thread: ThreadOptions
}

const spareOptions = [
  'env',
  'execArgv',
  'resourceLimits',
  'clean',
  'entry',
  'stdout',
  'stderr',
] as const satisfies readonly (keyof SpareOptions)[]

const known = [
  'name',
  'owner',
  'data',
  'transfer',
  'nice',
  'cpus',
  'clean',
  'loadDeadlineMs',
  'signal',
  'env',
  'argv',
  'execArgv',
  'preload',
  'resourceLimits',
  'entry',
  'stdout',
  'stderr',
  'bell',
] as const satisfies readonly (keyof UserWorkerOptions)[]

/**
 * A slow disk and a large program load in a few seconds; half a minute is never reached by one that
 * will load.
 */
export const defaultLoadDeadlineMs = 30_000

/**
 * Checks the arguments of `UserWorker.create`.
 *
 * @throws TypeError EINVAL
 */
export function check(module: unknown, options: UserWorkerOptions): CheckedOptions {
  const of = 'UserWorker.create'
  const url = moduleUrl(`${of}: the module`, module)
  checkOptions(of, options, known)
  const { name = nameOf(url), data, transfer = [], nice = null } = options
  const { loadDeadlineMs = defaultLoadDeadlineMs, signal = null, cpus, bell = silent } = options
  checkName(`${of}: name`, name)
  checkArray(`${of}: transfer`, transfer)
  if (nice !== null) checkInteger(`${of}: nice`, nice, -20, 19)
  if (cpus !== undefined) checkCpus(`${of}: cpus`, cpus)
  checkTimeMs(`${of}: loadDeadlineMs`, loadDeadlineMs)
  if (signal !== null) checkSignal(`${of}: signal`, signal)
  if (typeof bell !== 'function') throw invalid(`${of}: bell must be a function`)
  return {
    module: url,
    preload: checkPreload(of, options.preload),
    name,
    data,
    transfer,
    nice,
    cpus: cpus ?? (options.clean === true ? 'all' : null),
    mustBind: cpus !== undefined,
    loadDeadlineMs,
    signal,
    scope: scopeOf(`${of}: owner`, options.owner),
    bell,
    thread: checkIdentity(of, options),
  }
}

/** The bell of a worker that hears messages. */
const silent = (): void => {}

/** The options for a thread below owners that limit its heap. */
export function limitHeap(options: ThreadOptions, heapMb: number): ThreadOptions {
  const own = options.resourceLimits?.maxOldGenerationSizeMb ?? Infinity
  if (heapMb >= own) return options
  return {
    ...options,
    resourceLimits: { ...options.resourceLimits, maxOldGenerationSizeMb: heapMb },
  }
}

/**
 * Checks the arguments of `UserWorker.spares`.
 *
 * @throws TypeError EINVAL
 */
export function checkSpares(count: number, options: SpareOptions): ThreadOptions {
  const of = 'UserWorker.spares'
  checkInteger(`${of}: the count`, count, 0, mostSpares)
  checkOptions(of, options, spareOptions)
  return checkIdentity(of, options)
}

/**
 * Checks the options of `UserWorker.stop`.
 *
 * @throws TypeError EINVAL
 */
export function checkStop(options: StopOptions): StopOptions {
  checkOptions('stop', options, ['deadlineMs'])
  if (options.deadlineMs !== undefined) checkTimeMs('stop: deadlineMs', options.deadlineMs)
  return options
}

/**
 * Checks a set of CPUs.
 *
 * @throws TypeError EINVAL
 */
export function checkCpus(what: string, cpus: readonly number[] | 'all'): void {
  if (cpus === 'all') return
  checkArray(what, cpus)
  if (cpus.length === 0) throw invalid(`${what} must name at least one CPU`)
  for (const cpu of cpus) checkInteger(`${what}: each`, cpu, 0, highestCpu)
}

function checkExecArgv(what: string, execArgv: readonly string[]): void {
  checkStrings(what, execArgv)
  const wrong = optionOfTheProcess(execArgv)
  if (wrong !== undefined) {
    throw invalid(`${what}: '${wrong}' says what a process is to run: no thread can have it`)
  }
}

/**
 * Checks the option `preload`.
 *
 * @returns the modules as URLs
 * @throws TypeError EINVAL
 */
export function checkPreload(of: string, preload: readonly (URL | string)[] = []): string[] {
  checkArray(`${of}: preload`, preload)
  return preload.map((module) => moduleUrl(`${of}: preload: each`, module))
}

/** Threads of 8 MB: 1,024 of them take 8 GB, more than anybody boots ahead of time by intent. */
const mostSpares = 1024

/** Linux is built for 8,192 CPUs at most. */
const highestCpu = 8191

/** What makes a thread the owner's, or, with `clean`, nobody's. */
function checkIdentity(
  of: string,
  options: SpareOptions & { argv?: readonly string[] },
): ThreadOptions {
  const { clean = false, argv, resourceLimits, entry } = options
  checkBoolean(`${of}: clean`, clean)
  const { env = clean ? {} : undefined, execArgv = clean ? [] : inheritedExecArgv() } = options
  if (clean && env === SHARE_ENV) {
    throw invalid(
      `${of}: clean and env: SHARE_ENV exclude each other: a clean worker shares no environment`,
    )
  }
  const { stdout, stderr } = options
  return checkThread(of, { env, argv, execArgv, resourceLimits, entry, stdout, stderr })
}

const limitNames = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] as const satisfies readonly (keyof NonNullable<WorkerOptions['resourceLimits']>)[]

/** More than any machine has: 1 TB. */
const mostLimitMb = 2 ** 20

/**
 * Checks the options for the thread itself, and leaves out those that were not given.
 *
 * @throws TypeError EINVAL
 * @throws UserWorkerError ERR_MODULE_LOAD for `entry`
 */
export function checkThread(of: string, options: GivenThreadOptions): ThreadOptions {
  const { env, argv, execArgv, resourceLimits, stdout, stderr } = options
  const entry = checkEntry(of, options.entry)
  if (env !== undefined && typeof env !== 'symbol') checkObject(`${of}: env`, env)
  if (argv !== undefined) checkStrings(`${of}: argv`, argv)
  if (execArgv !== undefined) checkExecArgv(`${of}: execArgv`, execArgv)
  if (stdout !== undefined) checkBoolean(`${of}: stdout`, stdout)
  if (stderr !== undefined) checkBoolean(`${of}: stderr`, stderr)
  if (resourceLimits !== undefined) {
    checkOptions(`${of}: resourceLimits`, resourceLimits, limitNames)
    for (const [name, value] of Object.entries(resourceLimits)) {
      checkNumber(`${of}: resourceLimits.${name}`, value, 0, mostLimitMb)
    }
  }
  return {
    ...(env === undefined ? {} : { env }),
    ...(argv === undefined ? {} : { argv: [...argv] }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(entry === undefined ? {} : { entry }),
    ...(stdout === true ? { stdout } : {}),
    ...(stderr === true ? { stderr } : {}),
  }
}

/** A name for people, from a module's URL. */
export function nameOf(url: string): string {
  if (!url.startsWith('file:')) return 'worker'
  const file = basename(decoded(new URL(url).pathname))
  return file.replace(/\.[cm]?[jt]s$/, '') || 'worker'
}

/** The path without its escapes; as it is where they stand for no text. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
