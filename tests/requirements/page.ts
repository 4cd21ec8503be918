/**
 * The page of requirements, taken apart.
 *
 * @module
 */
import { idsIn } from './ids.js'

/** Where the page lies. */
export const page = 'docs/internals/requirements.md'

/** A test that a row cites. */
export interface Cited {
  /** The file, as a path from the project's root. */
  readonly file: string
  readonly title: string
}

/** A row of the page. */
export interface Row {
  readonly id: string
  /** Counted from 1. */
  readonly line: number
  readonly class: string
  readonly how: string
  /** The files that do it; empty where there is none yet. */
  readonly files: readonly string[]
  readonly tests: readonly Cited[]
  /** The issue that will bring the test, or null. */
  readonly planned: string | null
  /** What stands in the last column and is neither. */
  readonly unreadable: readonly string[]
}

/** The rows of a page, in their order: each line of a table whose first cell is an id. */
export function rowsOf(text: string): Row[] {
  return text.split('\n').flatMap((line, index) => {
    const [id = '', kind = '', how = '', files = '', tests = ''] = cellsOf(line)
    if (idsIn(id)[0] !== id || id === '') return []
    const parts = partsOf(tests)
    const cited = parts.map(citedIn)
    return [
      {
        id,
        line: index + 1,
        class: kind,
        how,
        files: partsOf(files).map((file) => file.replace(/^`(.*)`$/, '$1')),
        tests: cited.filter((test) => test !== null),
        planned: parts.map(plannedIn).find((issue) => issue !== null) ?? null,
        unreadable: parts.filter((part, at) => cited[at] === null && plannedIn(part) === null),
      },
    ]
  })
}

/** The cells of a line of a table, without the space around them. */
function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function partsOf(cell: string): string[] {
  return cell.split('<br>').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
}

/** `` `src/a.test.ts: title` `` */
function citedIn(part: string): Cited | null {
  const [, file, title] = /^`([^\s:]+): (.+)`$/.exec(part) ?? []
  return file === undefined || title === undefined ? null : { file, title }
}

/** `planned: title of an issue` */
function plannedIn(part: string): string | null {
  return /^planned: (.+)$/.exec(part)?.[1] ?? null
}
