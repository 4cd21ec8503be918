/**
 * The newest results, as files: one for each version of Node, which keeps of each case the newest
 * row.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from './figures.js'
import { caseNames } from './measures.js'

/** The project's own folder of results. */
export const resultsFolder: string = fileURLToPath(new URL('../../results', import.meta.url))

/** The rows of one version of Node. */
export interface Results {
  /** Its name without an ending, such as `dispatch-node20`. */
  readonly name: string
  readonly rows: readonly Row[]
}

/** Adds rows to the files of a folder, and gives back what these then hold. */
export function addResults(folder: string, rows: readonly Row[]): Results[] {
  mkdirSync(folder, { recursive: true })
  const names = new Set(rows.map(({ node }) => nameOf(node)))
  return [...names].map((name) => {
    const file = join(folder, `${name}.json`)
    const before = existsSync(file) ? rowsOf(file) : []
    const merged = merge(
      before,
      rows.filter(({ node }) => nameOf(node) === name),
    )
    writeFileSync(file, `${JSON.stringify({ rows: merged }, null, 2)}\n`)
    return { name, rows: merged }
  })
}

/** All results of a folder, those of the newest Node last. */
export function readResults(folder: string): Results[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => /^dispatch-node\d+\.json$/.test(file))
    .map((file) => ({ name: file.replace(/\.json$/, ''), rows: rowsOf(join(folder, file)) }))
    .sort((a, b) => versionIn(a.name) - versionIn(b.name))
}

/** New rows in place of those of the same case; but a trial never replaces a full measuring. */
export function merge(before: readonly Row[], after: readonly Row[]): Row[] {
  const rows = new Map(before.map((row) => [row.case, row]))
  for (const row of after) {
    if (row.quick && rows.get(row.case)?.quick === false) continue
    rows.set(row.case, row)
  }
  return caseNames.flatMap((name) => rows.get(name) ?? [])
}

const rowsOf = (file: string): readonly Row[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as Results).rows
const nameOf = (node: string): string => `dispatch-node${node.split('.')[0]}`
const versionIn = (name: string): number => Number(/\d+$/.exec(name)?.[0])
