/**
 * The file in which a thread of ours begins.
 *
 * It lies beside this one, until a bundler puts this one into a file of the user's, where nothing
 * of ours lies beside it. Then the user has the bundler make a file of `userworker/entry` as well,
 * and says by the option `entry` where that is.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { moduleUrl } from '../validate.js'
import { builtin } from '../os/builtin.js'

const { existsSync } = builtin('node:fs')

/** Undefined in a bundle that is no ES module, whatever the type says. */
const here = import.meta.url as string | undefined

/** Whether this file is still the one it was when the library was built. */
const isOnItsOwn = (here ?? '').endsWith('/worker/beginning.js')

/** Whether it is in one of the files that the library is packed into: see `scripts/pack.mjs`. */
const isPacked =
  /\/dist\/packed\/[^/]+\.js$/.test(here ?? '') &&
  existsSync(new URL('./entry.js', import.meta.url))

/**
 * Whether a thread begins with a module that has everything in it: that of a bundle, or our own
 * packed one.
 */
export function isWhole(entry: unknown): boolean {
  return entry !== undefined || isPacked
}

const remedy =
  "have the bundler make a file of 'userworker/entry', and give its URL as the option 'entry'"

/**
 * Checks the option `entry`. It is needed in a bundle: that is said here, at once, and not when a
 * thread cannot be made.
 *
 * @returns the URL of the file; undefined where it is the library's own
 * @throws TypeError EINVAL: it is no URL and no absolute path
 * @throws UserWorkerError ERR_MODULE_LOAD: there is no such file, or it is needed and was not given
 */
export function checkEntry(of: string, given: unknown): string | undefined {
  if (given === undefined) {
    if (isOnItsOwn || isPacked) return undefined
    const text = `${of}: this copy of userworker is in a bundle, where no thread can begin: ${remedy}`
    throw new UserWorkerError('ERR_MODULE_LOAD', text)
  }
  const entry = moduleUrl(`${of}: entry`, given)
  if (entry.startsWith('file:') && !existsSync(new URL(entry))) {
    const text = `${of}: there is no file ${entry}, which 'entry' names: ${remedy}`
    throw new UserWorkerError('ERR_MODULE_LOAD', text)
  }
  return entry
}

/** Where a thread begins: at the option `entry` after checking, or at our own file. */
export function beginning(entry: string | undefined): URL {
  return entry === undefined ? new URL('./entry.js', import.meta.url) : new URL(entry)
}
