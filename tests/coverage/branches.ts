/**
 * What of a source was not reached, from what of its script ran.
 *
 * @module
 */
import type { ScriptCov } from '@bcoe/v8-coverage'
import { parse } from 'acorn'
import { convert } from 'ast-v8-to-istanbul'
import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { root } from '../root.js'

/** What was not: a condition never true, or never false; a place never reached; a function never called. */
export type Never = 'true' | 'false' | 'reached' | 'called'

export interface Unreached {
  readonly line: number
  /** The line's text, without the space around it. */
  readonly text: string
  readonly never: Never
}

export interface Count {
  readonly all: number
  readonly reached: number
}

/** One source: its figures, and what was not reached, without what lies within something that was not. */
export interface FileCoverage {
  readonly file: string
  readonly lines: Count
  readonly branches: Count
  readonly unreached: readonly Unreached[]
  /** What lies within those, and was not reached either. */
  readonly within: readonly Unreached[]
}

type SourceMap = Extract<Parameters<typeof convert>[0]['sourceMap'], object>

interface Place {
  readonly line: number
  readonly column: number
}

interface Range {
  readonly start: Place
  readonly end: Place
}

/** The form in which the library answers. */
interface Istanbul {
  readonly path: string
  readonly statementMap: Record<string, Range>
  readonly s: Record<string, number>
  readonly fnMap: Record<string, { readonly decl: Range; readonly loc: Range }>
  readonly f: Record<string, number>
  readonly branchMap: Record<string, { type: string; loc: Range; locations: Range[] }>
  readonly b: Record<string, number[]>
}

/** @param coverage what of the script ran; undefined when it was never loaded */
export async function coverageOf(
  script: string,
  coverage: ScriptCov | undefined,
): Promise<FileCoverage | null> {
  const code = await readFile(script, 'utf8')
  const sourceMap = JSON.parse(await readFile(`${script}.map`, 'utf8')) as SourceMap
  const never = { startOffset: 0, endOffset: code.length, count: 0 }
  const ran = coverage ?? {
    scriptId: '0',
    url: `file://${script}`,
    functions: [{ functionName: '', isBlockCoverage: true, ranges: [never] }],
  }
  const found = await convert({
    ast: Promise.resolve(parse(code, { ecmaVersion: 'latest', sourceType: 'module' })),
    code,
    coverage: { ...ran, url: `file://${script}` },
    sourceMap,
  })
  const [data] = Object.values(found) as unknown as Istanbul[]
  if (data === undefined) return null
  const source = resolve(script, '..', sourceMap.sources[0] ?? '')
  const text = (await readFile(source, 'utf8')).split('\n')
  return { file: relative(root, source), ...figuresOf(data), ...unreachedOf(data, text) }
}

function figuresOf(data: Istanbul): { lines: Count; branches: Count } {
  const lines = new Map<number, number>()
  for (const [id, range] of Object.entries(data.statementMap))
    lines.set(range.start.line, Math.max(lines.get(range.start.line) ?? 0, data.s[id] ?? 0))
  return { lines: countOf([...lines.values()]), branches: countOf(Object.values(data.b).flat()) }
}

const countOf = (counts: readonly number[]): Count => ({
  all: counts.length,
  reached: counts.filter((count) => count > 0).length,
})

/** What was not reached: where to show it, and the range within which nothing else was either. */
interface Found {
  readonly at: Place
  readonly range: Range
  readonly never: Never
}

function unreachedOf(
  data: Istanbul,
  text: readonly string[],
): Pick<FileCoverage, 'unreached' | 'within'> {
  const found: Found[] = []
  for (const [id, { decl, loc }] of Object.entries(data.fnMap))
    if (data.f[id] === 0)
      found.push({ at: decl.start, range: { start: decl.start, end: loc.end }, never: 'called' })
  for (const [id, { type, loc, locations }] of Object.entries(data.branchMap))
    for (const [index, count] of (data.b[id] ?? []).entries())
      if (count === 0) found.push(armOf(type, loc, locations, index))
  const isWithin = ({ start, end }: Range, never: Never | null): boolean =>
    found.some(({ range, never: other }) => {
      if (before(range.start, start) > 0 || before(range.end, end) < 0) return false
      const isSame = before(range.start, start) === 0 && before(range.end, end) === 0
      return !isSame || never === null || ranks.indexOf(other) < ranks.indexOf(never)
    })
  const outermost = found.filter(({ range, never }) => !isWithin(range, never))
  const statements = Object.entries(data.statementMap).filter(([id]) => data.s[id] === 0)
  const all = statements.map(([, range]) => ({ at: range.start, never: 'reached' as const }))
  return {
    unreached: shownOf(
      [...outermost, ...behindNoBranch(data, (range) => isWithin(range, null))],
      text,
    ),
    within: shownOf([...found, ...all], text),
  }
}

/** In the order of their lines, each once. */
function shownOf(found: readonly Omit<Found, 'range'>[], text: readonly string[]): Unreached[] {
  const all = found
    .toSorted((a, b) => before(a.at, b.at))
    .map(({ at, never }) => ({ line: at.line, text: (text[at.line - 1] ?? '').trim(), never }))
  return all.filter(
    ({ line, never }, index) => line !== all[index - 1]?.line || never !== all[index - 1]?.never,
  )
}

/** Of two that were not reached in the same range, the first is shown. */
const ranks: readonly Never[] = ['called', 'true', 'false', 'reached']

/** `if` and `?:` are named by their condition, the rest by where it stands. */
function armOf(type: string, loc: Range, arms: readonly Range[], index: number): Found {
  const own = arms[index]
  const isThere = own?.start.line !== undefined
  const range = isThere ? own : { start: loc.end, end: loc.end }
  if (type === 'cond-expr') return { at: loc.start, range, never: index === 0 ? 'true' : 'false' }
  if (type !== 'if') return { at: range.start, range, never: 'reached' }
  if (index === 1) return { at: loc.start, range, never: 'false' }
  // The first arm of an `if` is given as the whole of it, its `else` with it.
  const end = arms[1]?.start.line === undefined ? loc.end : arms[1].start
  return { at: loc.start, range: { start: loc.start, end }, never: 'true' }
}

/** What follows a `catch`, or a call that always throws: the first statement of each such place. */
function behindNoBranch(data: Istanbul, isWithin: (range: Range) => boolean): Found[] {
  const statements = Object.entries(data.statementMap)
    .map(([id, range]) => ({ range, isReached: (data.s[id] ?? 0) > 0 }))
    .filter(({ range }) => !isWithin(range))
    .sort((a, b) => before(a.range.start, b.range.start))
  return statements
    .filter(({ isReached }, index) => !isReached && statements[index - 1]?.isReached !== false)
    .map(({ range }) => ({ at: range.start, range, never: 'reached' }))
}

/** Columns are without end at the end of a line. */
function before(a: Place, b: Place): number {
  if (a.line !== b.line) return a.line - b.line
  return a.column === b.column ? 0 : a.column - b.column
}
