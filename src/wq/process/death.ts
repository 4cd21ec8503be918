/**
 * What the end of a child process means: the same errors as a thread's end. A pure function of what
 * was known when it had ended, so that its table can be tested whole.
 *
 * @module
 */
import { UserWorkerError } from '../../errors.js'

/** What is known of a child process that has ended. */
export interface Remains {
  /** The worker's name. */
  readonly name: string
  /** Null where a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** The error that nobody caught. */
  readonly uncaught: Error | null
  /** What V8 said at its end. */
  readonly fatal: string | null
}

/** Judges an end that the thread had not asked for. */
export function errorOfDeath(remains: Remains): UserWorkerError {
  const { name, exitCode, signal, uncaught, fatal } = remains
  if (fatal !== null && exitCode === null) {
    const text = fatal.includes('invalid')
      ? `Code in worker '${name}' asked for a value that is too large for V8`
      : `The heap of worker '${name}' was full: give it more by resourceLimits.maxOldGenerationSizeMb`
    // As Node's own error for a thread.
    const cause = Object.assign(new Error(fatal), { code: 'ERR_WORKER_OUT_OF_MEMORY' })
    const facts = { cause, exitCode: 1 }
    return new UserWorkerError('ERR_WORKER_OUT_OF_MEMORY', text, facts)
  }
  if (uncaught !== null) {
    const text = `Worker '${name}' died by an error that nobody caught: ${uncaught.message}`
    return new UserWorkerError('ERR_WORKER_DIED', text, { cause: uncaught, exitCode: 1 })
  }
  if (exitCode !== null) {
    const text = `Code in worker '${name}' called process.exit(${exitCode})`
    return new UserWorkerError('ERR_WORKER_EXITED', text, { exitCode })
  }
  const text = `The process of worker '${name}' was ended by the signal ${signal}`
  return new UserWorkerError('ERR_WORKER_DIED', text)
}

/** The error for a process that its thread has ended by force. */
export function errorOfKill(name: string): UserWorkerError {
  return new UserWorkerError('ERR_WORKER_KILLED', `The process of worker '${name}' was killed`)
}

/** The error for a process that the system refused to make. */
export function notForked(name: string, cause: Error & { code?: unknown }): UserWorkerError {
  const text = `The system made no process for worker '${name}': ${cause.message}`
  const code = cause.code === 'EAGAIN' || cause.code === 'EMFILE' ? cause.code : 'ERR_WORKER_INIT'
  return new UserWorkerError(code, text, { cause })
}

/**
 * V8's words for a heap that is full, and for a value that no heap could hold. The line begins with
 * "FATAL ERROR", or, behind a "#", with "Fatal".
 */
const lastWords =
  /fatal (?:error|javascript|process)\b.*(?:out of memory|invalid (?:\w+ )?(?:size|length)).*/i

/** A line is not longer, and V8 may write it in pieces. */
const longestLine = 1024

/** Finds V8's last words in what a process writes to its standard error. */
export class LastWords {
  #last = ''
  found: string | null = null

  hear(part: string): void {
    if (this.found !== null) return
    const text = this.#last + part
    this.found = lastWords.exec(text)?.[0] ?? null
    this.#last = text.slice(-longestLine)
  }
}
