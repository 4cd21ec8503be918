/**
 * Loading a user's module inside a worker's thread, and the errors for one that does not load.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'

/**
 * Imports a module and gives its exports, whichever module system it is written in: those of a
 * CommonJS module are the properties of `module.exports`, and `exports.default` counts as its
 * default.
 *
 * @throws UserWorkerError ERR_MODULE_LOAD with the `cause`
 */
export async function loadModule(url: string): Promise<Record<string, unknown>> {
  let module: Record<string, unknown>
  try {
    module = (await import(url)) as Record<string, unknown>
  } catch (cause) {
    throw loadFailure(`Loading ${url}`, cause)
  }
  const whole = module['default']
  if (typeof whole !== 'object' || whole === null) return { ...module }
  const compiled = whole as Record<string, unknown>
  return { ...module, ...compiled, default: compiled['default'] ?? whole }
}

/** The error for a module that could not be loaded: `what` failed, because of `cause`. */
export function loadFailure(what: string, cause: unknown): UserWorkerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new UserWorkerError('ERR_MODULE_LOAD', `${what} failed: ${why}`, { cause })
}

/** The error for a module that did not finish loading within its deadline. */
export function loadTimeout(url: string, deadlineMs: number, detail = ''): UserWorkerError {
  const message = `${url} did not finish loading within loadDeadlineMs, ${deadlineMs} ms${detail}`
  return new UserWorkerError('ERR_MODULE_LOAD_TIMEOUT', message)
}
