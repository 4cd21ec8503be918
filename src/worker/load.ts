/**
 * Loading a user's module inside a worker's thread, and the errors for one that does not load.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { presentUrl, readTypeScript, remedyFor } from './typescript.js'

/** Modules that lie in the same bundle as this one, by the name they are asked for. */
const bundled = new Map<string, Record<string, unknown>>()

/** Gives {@link loadModule} a module that is loaded already. */
export function bundleModule(name: string, module: Record<string, unknown>): void {
  bundled.set(name, module)
}

/**
 * Imports a module and gives its exports, whichever module system it is written in: those of a
 * CommonJS module are the properties of `module.exports`, and `exports.default` counts as its
 * default. A `.js` whose file is a `.ts`, or the reverse, is found.
 *
 * @throws UserWorkerError ERR_MODULE_LOAD with the `cause`
 */
export async function loadModule(url: string, doing = 'Loading'): Promise<Record<string, unknown>> {
  let module = bundled.get(url)
  if (module !== undefined) return module
  const file = presentUrl(url)
  try {
    await readTypeScript(file)
    module = (await import(file)) as Record<string, unknown>
  } catch (cause) {
    throw loadFailure(`${doing} ${url}`, cause, remedyFor(file, cause))
  }
  const whole = module['default']
  if (typeof whole !== 'object' || whole === null) return { ...module }
  const compiled = whole as Record<string, unknown>
  return { ...module, ...compiled, default: compiled['default'] ?? whole }
}

/**
 * The error for a module that could not be loaded: `what` failed, because of `cause`; and what to do
 * about it, where that is known.
 */
export function loadFailure(
  what: string,
  cause: unknown,
  remedy: string | null = null,
): UserWorkerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const text = `${what} failed: ${why}${remedy === null ? '' : `. ${remedy}`}`
  return new UserWorkerError('ERR_MODULE_LOAD', text, { cause })
}

/** The error for a module that did not finish loading within its deadline. */
export function loadTimeout(url: string, deadlineMs: number, detail = ''): UserWorkerError {
  const message = `${url} did not finish loading within loadDeadlineMs, ${deadlineMs} ms${detail}`
  return new UserWorkerError('ERR_MODULE_LOAD_TIMEOUT', message)
}
