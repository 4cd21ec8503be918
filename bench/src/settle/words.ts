/**
 * Errors and values in words, short enough for a table.
 *
 * @module
 */

/** As much of a message as tells it from others. */
const mostColumns = 44

interface Facts {
  readonly code?: unknown
  readonly exitCode?: unknown
  readonly innocent?: unknown
  readonly cause?: unknown
}

/** Its code and what belongs to it; or, without a code, its name and message. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return cut(`rejects with ${JSON.stringify(error)}`)
  const { code, exitCode, innocent, cause } = error as Facts
  const words = [typeof code === 'string' ? code : cut(`${error.name}: ${error.message}`)]
  if (typeof exitCode === 'number' && code === 'ERR_WORKER_EXITED')
    words.push(`exitCode ${exitCode}`)
  if (innocent === true) words.push('innocent: true')
  if (cause instanceof Error) words.push(`cause ${nameOf(cause)}`)
  return words.join(', ')
}

/** What a promise resolved to. */
export function resolvedTo(value: unknown): string {
  return value === undefined ? 'resolves' : cut(`resolves: ${JSON.stringify(value)}`)
}

function nameOf(error: Error): string {
  const { code } = error as Facts
  return typeof code === 'string' ? code : error.name
}

function cut(text: string): string {
  // Where the project lies is nobody's business.
  const line = text
    .replaceAll(/(file:\/)?(\/[^\s/]+)+\//g, '…/')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length <= mostColumns ? line : `${line.slice(0, mostColumns - 1)}…`
}
