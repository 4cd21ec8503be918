/**
 * Every error the library makes, and the one table of their codes.
 *
 * @module
 */

/** What each code means. `docs/reference/errors.md` shows the same table; a test compares them. */
export const errorCodes = {
  ABORT_ERR:
    'The AbortSignal given with a work, or with a creation, was aborted. `cause` is its reason.',
  EAGAIN:
    'A limit of the system, of the library or of an owner is reached: no further thread can be made now. ' +
    '`owner` names the owner, if it is one.',
  EBUSY:
    'The worker is told to park already; the device has an owner already; the vhost worker is in use.',
  ECANCELED:
    'The work was cancelled before it ran, or its queue was closed; a park was taken back by `unpark`.',
  EDEADLK: "The wait could never finish: the other worker waits for this one's end.",
  EINVAL: 'An argument or an option is wrong. The error is a TypeError.',
  EMFILE: 'The process has no file descriptor left, and a thread needs some.',
  ENOBUFS: 'The device has no vring of this number, or the vhost worker has no place for another.',
  ENODEV: 'The vhost worker has ended, or is none of this device.',
  ENOSYS: 'The worker or the owner has ended or was told to stop, and does this no more.',
  ENOTSUP:
    'This system, or what is installed on it, cannot do this. The message says what it takes.',
  ERR_DISK_IMAGE:
    'The file behind a disk cannot be served: it is missing, locked, of an odd size or may not be opened. ' +
    '`cause` is the error of the system, if there is one.',
  ERR_FREE_NAME:
    'An inline function refers to something outside it. The message says to what; `cause` is the ReferenceError.',
  ERR_MODULE_LOAD:
    'The module of a worker could not be loaded, or its setup failed. `cause` says why.',
  ERR_MODULE_LOAD_TIMEOUT: 'The module of a worker did not finish loading within its deadline.',
  ERR_NO_HANDLER: 'The module has no such function. The message lists those it has.',
  ERR_NO_WORK: 'There is no work here: `current()` was called outside a handler.',
  ERR_NOT_CLONEABLE: 'A value cannot be sent to another thread. `cause` says which part.',
  ERR_OWNER_KILLED:
    'An owner of the worker, or of the queue, was killed. `cause` is the reason given to `kill`.',
  ERR_WORKER_DIED:
    'The thread ended by an error outside any work or function, or was terminated. `cause` is the error.',
  ERR_WORKER_EXITED: 'Code in the thread called `process.exit`. `exitCode` is its argument.',
  ERR_WORKER_INIT: 'The system refused to make a thread. `cause` says why.',
  ERR_WORKER_KILLED: 'The worker was killed.',
  ERR_WORKER_OUT_OF_MEMORY: "The thread's heap was full.",
  ETIME:
    'The worker has not ended by the deadline of `stop`, and `stuck` tells who stands where; ' +
    'or the work ran longer than its `timeoutMs`; or the end of a device takes long, and the message says why.',
} as const

/** The `code` of an error made by the library. */
export type ErrorCode = keyof typeof errorCodes

/** A worker that a `stop` waits for longer than its caller wanted. */
export interface Stuck {
  /** The worker's name. */
  readonly name: string
  /** The thread's id in the operating system; null where the system has none to show. */
  readonly osThreadId: number | null
  /** What it does, or waits for, in words. */
  readonly where: string
}

/** Further facts that an error may carry. */
export interface ErrorFacts {
  /** The error behind this one. */
  cause?: unknown
  /** The exit code of the thread that ended, where one ended. */
  exitCode?: number
  /** The workers that are waited for. */
  stuck?: readonly Stuck[]
  /** Whether the work is not to blame for the end of its thread. */
  innocent?: boolean
  /** The owner whose limit is reached. */
  owner?: string
}

const brand: unique symbol = Symbol.for('userworker.error') as never

/**
 * An error of the library. Its `code` is stable; its message is one sentence for people.
 *
 * `instanceof` goes by a brand, so it also holds for an error from another copy of the library.
 */
export class UserWorkerError extends Error {
  readonly code: ErrorCode
  /** The exit code of the thread that ended; only where one ended. */
  declare readonly exitCode?: number
  /** The workers that `stop` still waits for; only with ETIME. */
  declare readonly stuck?: readonly Stuck[]
  /** True where a work's thread was ended because of another work; only with ERR_WORKER_DIED. */
  declare readonly innocent?: boolean
  /** The name of the owner whose limit is reached; only with EAGAIN, and only where it is one. */
  declare readonly owner?: string

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined)
    this.code = code
    if (facts.exitCode !== undefined) this.exitCode = facts.exitCode
    if (facts.stuck !== undefined) this.stuck = facts.stuck
    if (facts.innocent !== undefined) this.innocent = facts.innocent
    if (facts.owner !== undefined) this.owner = facts.owner
    markAsOurs(this)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== UserWorkerError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }
}
// Bundlers give the class another name, and it is told by its name where it crosses threads.
Object.defineProperty(UserWorkerError, 'name', { value: 'UserWorkerError' })
Object.defineProperty(UserWorkerError.prototype, 'name', {
  value: 'UserWorkerError',
  writable: true,
  configurable: true,
})

/** A wrong argument: a `TypeError` with code `EINVAL`, to be thrown at once. */
export function invalid(message: string): TypeError & { code: 'EINVAL' } {
  return markAsOurs(Object.assign(new TypeError(message), { code: 'EINVAL' as const }))
}

/** What an aborted signal makes of a pending promise: an `AbortError` with code `ABORT_ERR`. */
export function aborted(reason: unknown): UserWorkerError {
  const error = new UserWorkerError('ABORT_ERR', 'The operation was aborted', { cause: reason })
  return Object.defineProperty(error, 'name', {
    value: 'AbortError',
    configurable: true,
    writable: true,
  })
}

function markAsOurs<T extends Error>(error: T): T {
  return Object.defineProperty(error, brand, { value: true })
}
