/**
 * The branches of which the page on testing says why no test reaches them.
 *
 * An entry names a file and the text of a line, which survive edits elsewhere in the file:
 *
 * - `src/x/y.ts` `if (text of the line)` is never true: the reason.
 *
 * Below a heading of the third level, whose first sentences are the reason for all, it needs none.
 *
 * @module
 */
import type { FileCoverage, Never, Unreached } from './branches.js'

/** Where the entries are, as a path in the project. */
export const page = 'docs/internals/testing.md'

export interface Argued {
  readonly file: string
  readonly text: string
  readonly never: Never
}

const entry = /^- `(src\/[^`]+)` (`+)(.+?)\2 is never (true|false|reached|called)(: \S)?/

export function arguedIn(markdown: string): Argued[] {
  let isInGroup = false
  return markdown.split('\n').flatMap((line) => {
    if (/^#+ /.test(line)) isInGroup = line.startsWith('### ')
    const [, file, , text, never, reason] = entry.exec(line) ?? []
    if (file === undefined || text === undefined) return []
    if (reason === undefined && !isInGroup) return []
    return [{ file, text: text.trim(), never: never as Never }]
  })
}

export interface Verdict {
  /** Not reached, and no entry says why. */
  readonly open: readonly (Unreached & { readonly file: string })[]
  /** Entries of what is reached, or no longer there. */
  readonly stale: readonly Argued[]
  /** Those of them that do not lie within something else that was not reached. */
  readonly reached: readonly Argued[]
}

/** An entry stands for all lines of its text in its file. */
export function judge(files: readonly FileCoverage[], argued: readonly Argued[]): Verdict {
  const named = (kind: 'unreached' | 'within'): (Unreached & { readonly file: string })[] =>
    files.flatMap(({ file, [kind]: those }) => those.map((each) => ({ ...each, file })))
  const [unreached, within] = [named('unreached'), named('within')]
  const isOf = (one: Argued, each: Argued): boolean =>
    one.file === each.file && one.text === each.text && one.never === each.never
  const stale = argued.filter((one) => !unreached.some((each) => isOf(one, each)))
  return {
    open: unreached.filter((each) => !argued.some((one) => isOf(one, each))),
    stale,
    reached: stale.filter((one) => !within.some((each) => isOf(one, each))),
  }
}
