/**
 * What a thread's end means: its exit code, and the error behind it if there is one. A pure
 * function of what was known when Node's 'exit' event came, so that its table can be tested whole.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { EINTR } from './control.js'
import { Flag, hasFlag, State, stateOf } from './state.js'

/** The exit code of a worker that was killed while its function ran. */
export const KILLED = -9

/** What is known of a thread when it has ended. */
export interface Remains {
  readonly name: string
  /** The control word, and the exit code, in its row. */
  readonly control: number
  readonly exitCode: number
  /**
   * The exit code that Node gives: 1 for a termination, the argument of `process.exit` otherwise.
   */
  readonly nodeCode: number
  /** `kill` was called. */
  readonly killed: boolean
  /** Because an owner above was killed: that error. */
  readonly ownerKilled: Error | null
  /** What it said last about itself: why its module failed, or what its function threw. */
  readonly told: Error | null
  /** The error that reached the top of the thread; it counts only together with `ended`. */
  readonly uncaught: Error | null
  /** The argument of `process.exit`. */
  readonly left: number | null
  /** What Node reported in its 'error' event: the thread ended by an error. */
  readonly ended: Error | null
}

/** A thread's end. */
export interface Verdict {
  readonly code: number
  readonly error: Error | null
}

/** Judges a thread's end. */
export function verdict(remains: Remains): Verdict {
  return { code: codeOf(remains), error: errorOf(remains) }
}

function codeOf(remains: Remains): number {
  const { control, exitCode, killed, ended } = remains
  // A code that was final before the kill arrived stays: stop wins over kill.
  if (stateOf(control) === State.EXITED) return exitCode
  if (!hasFlag(control, Flag.ENTERED)) return EINTR
  if (!killed && ended !== null) return 1
  if (!killed && hasLeft(remains)) return remains.nodeCode
  return KILLED
}

/**
 * Whether it ended by `process.exit`, though our own listener for that was removed and said
 * nothing.
 */
function hasLeft({ nodeCode, left, ended }: Remains): boolean {
  return left === null && ended === null && nodeCode !== 1
}

function errorOf(remains: Remains): Error | null {
  const { name, control, killed, ownerKilled, told, uncaught, left, ended } = remains
  if (told !== null) return told
  if (ended !== null) return endedBy(name, ended, uncaught)
  if (left !== null) return exited(name, left)
  // A loop that was told to die ended by itself, with that code.
  if (stateOf(control) === State.EXITED) return remains.exitCode === KILLED ? ownerKilled : null
  if (killed) {
    if (ownerKilled !== null) return ownerKilled
    const message = `Worker '${name}' was killed`
    return new UserWorkerError('ERR_WORKER_KILLED', message, { exitCode: KILLED })
  }
  if (hasLeft(remains)) return exited(name, remains.nodeCode)
  const message = `The thread of worker '${name}' was terminated from outside`
  return new UserWorkerError('ERR_WORKER_DIED', message)
}

/** Whether a worker's end was a kill. */
export function isKill(error: Error): boolean {
  if (!(error instanceof UserWorkerError)) return false
  return error.code === 'ERR_WORKER_KILLED' || error.code === 'ERR_OWNER_KILLED'
}

function exited(name: string, exitCode: number): UserWorkerError {
  const message = `Code in worker '${name}' called process.exit(${exitCode})`
  return new UserWorkerError('ERR_WORKER_EXITED', message, { exitCode })
}

/**
 * @param ended - what Node reports, which has lost properties on its way
 * @param uncaught - what the thread said of the last error at its top, which may have been another:
 * the program handled it, and died of something else
 */
function endedBy(name: string, ended: Error, uncaught: Error | null): UserWorkerError {
  const { code } = ended as Error & { code?: unknown }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const remedy =
      'give it more by resourceLimits.maxOldGenerationSizeMb, and by heapMb of its owner'
    const text = `The heap of worker '${name}' was full: ${remedy}`
    return new UserWorkerError('ERR_WORKER_OUT_OF_MEMORY', text, { cause: ended, exitCode: 1 })
  }
  if (code === 'ERR_WORKER_INIT_FAILED' || code === 'EMFILE') return notMade(name, ended)
  const cause = uncaught ?? ended
  const text = `Worker '${name}' died by an error that nobody caught: ${cause.message}`
  return new UserWorkerError('ERR_WORKER_DIED', text, { cause, exitCode: 1 })
}

/** The error for a thread that the system refused to make. */
export function notMade(name: string, cause: Error): UserWorkerError {
  const sentence = `The system made no thread for worker '${name}'`
  if (cause.message.includes('EMFILE')) {
    return new UserWorkerError('EMFILE', `${sentence}: the process has no file descriptor left`, {
      cause,
    })
  }
  if (cause.message.includes('EAGAIN')) {
    const text = `${sentence}: a limit on threads is reached (ulimit -u, or pids.max of the cgroup)`
    return new UserWorkerError('EAGAIN', text, { cause })
  }
  return new UserWorkerError('ERR_WORKER_INIT', `${sentence}: ${cause.message}`, { cause })
}

/** For an end by an error that nobody else is told of: it must not be silent. */
export function warnOfEnd(name: string, error: Error & { readonly code?: unknown }): void {
  process.emitWarning(`Worker '${name}' ended by an error: ${error.stack ?? error.message}`, {
    type: 'UserWorkerWarning',
    code: typeof error.code === 'string' ? error.code : 'ERR_WORKER_DIED',
  })
}
