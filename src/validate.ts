/**
 * Checks of what callers pass in. Each throws a `TypeError` with code `EINVAL`, at once, whose
 * message says what was wrong and what would be right.
 *
 * @module
 */
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { invalid } from './errors.js'
import { longestTimeoutMs } from './os/clock.js'

const shown = (value: unknown): string =>
  inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60 })

/** Refuses what is not an options bag, and names in it that nobody reads. */
export function checkOptions(of: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`${of}: the options must be an object, not ${shown(options)}`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw invalid(`${of}: there is no option '${unknown}'. There is: ${known.join(', ')}`)
  }
}

/** Refuses what is not a whole number from `least` to `most`. */
export function checkInteger(what: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(`${what} must be a whole number from ${least} to ${most}, not ${shown(value)}`)
  }
}

/** Refuses what is no exit code: a whole number of 32 bits. */
export function checkExitCode(what: string, value: unknown): void {
  checkInteger(what, value, -(2 ** 31), 2 ** 31 - 1)
}

/** Refuses what is no shared 32-bit words, at least one. */
export function checkWords(what: string, value: unknown): void {
  // By what it is, not whose: a test runner may give each test file globals of its own.
  const { buffer, length } = (value ?? {}) as Partial<Int32Array>
  const kind = Object.prototype.toString.call(value)
  const memory = Object.prototype.toString.call(buffer)
  if (kind !== '[object Int32Array]' || memory !== '[object SharedArrayBuffer]' || !length) {
    throw invalid(
      `${what} must be an Int32Array over a SharedArrayBuffer, of at least one word, not ${shown(value)}`,
    )
  }
}

/** Refuses what is not a number from `least` to `most`. */
export function checkNumber(what: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw invalid(`${what} must be a number from ${least} to ${most}, not ${shown(value)}`)
  }
}

/** Refuses what is not an object. */
export function checkObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${what} must be an object, not ${shown(value)}`)
  }
}

/** Refuses what is not a time in milliseconds that a timer can take. */
export function checkTimeMs(what: string, value: unknown): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= longestTimeoutMs)) {
    throw invalid(
      `${what} must be a number of milliseconds from 0 to ${longestTimeoutMs}, not ${shown(value)}`,
    )
  }
}

/** Refuses what is not a string with something in it. */
export function checkName(what: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    throw invalid(`${what} must be a string that is not empty, not ${shown(value)}`)
  }
}

/** Refuses what is not true or false. */
export function checkBoolean(what: string, value: unknown): void {
  if (typeof value !== 'boolean')
    throw invalid(`${what} must be true or false, not ${shown(value)}`)
}

/** Refuses what is not an array of strings. */
export function checkStrings(what: string, value: unknown): void {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw invalid(`${what} must be an array of strings, not ${shown(value)}`)
  }
}

/** Refuses what is not an `AbortSignal`. */
export function checkSignal(what: string, value: unknown): void {
  // By what it can do: a test runner may give each test file globals of its own.
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function') {
    throw invalid(`${what} must be an AbortSignal, not ${shown(value)}`)
  }
}

/** Refuses what is not an array. */
export function checkArray(what: string, value: unknown): void {
  if (!Array.isArray(value)) throw invalid(`${what} must be an array, not ${shown(value)}`)
}

/** The module a worker is to load, as an absolute URL. */
export function moduleUrl(what: string, module: unknown): string {
  if (isUrl(module)) return module.href
  if (typeof module === 'string') {
    if (isAbsolute(module)) return pathToFileURL(module).href
    if (URL.canParse(module)) return new URL(module).href
  }
  throw invalid(
    `${what} must be a URL or an absolute path, such as new URL('./worker.js', import.meta.url), not ${shown(module)}`,
  )
}

function isUrl(value: unknown): value is URL {
  return (
    typeof value === 'object' &&
    value !== null &&
    'href' in value &&
    URL.canParse(String(value.href))
  )
}
