/**
 * What came of the tests that the page of requirements cites.
 *
 * @module
 */
import { join } from 'node:path'
import { run } from 'node:test'
import { shown, type Violation } from '../tidy/tree.js'
import { ids, prefixOf } from './ids.js'
import { page, type Cited, type Row } from './page.js'

/** How a test ended. */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'todo'

/** How each test of each file ended; a title may stand for several tests. */
export type Outcomes = ReadonlyMap<string, ReadonlyMap<string, readonly Outcome[]>>

/** As long as `npm test` gives a test. */
const testTimeoutMs = 180_000

/** Runs test files of the project, one at a time. */
export async function outcomesOf(root: string, files: readonly string[]): Promise<Outcomes> {
  const all = new Map<string, ReadonlyMap<string, readonly Outcome[]>>()
  for (const file of files) all.set(file, await outcomesIn(join(root, compiled(file))))
  return all
}

/** Where the output of a source lies. */
export function compiled(file: string): string {
  const output = file.startsWith('src/') ? file.replace(/^src\//, 'dist/') : `build/${file}`
  return output.replace(/ts$/, 'js')
}

/** Runs one compiled test file. */
export async function outcomesIn(file: string): Promise<ReadonlyMap<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>()
  const events = run({ files: [file], concurrency: 1, timeout: testTimeoutMs })
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const outcome = type === 'test:fail' ? 'failed' : outcomeOf(data)
    outcomes.set(data.name, [...(outcomes.get(data.name) ?? []), outcome])
  }
  return outcomes
}

/** A mark of `skip` or `todo` is true, or its reason, which may be empty. */
function outcomeOf({ skip, todo }: { skip?: unknown; todo?: unknown }): Outcome {
  if (skip !== undefined && skip !== false) return 'skipped'
  return todo !== undefined && todo !== false ? 'todo' : 'passed'
}

/** Why a cited test does not show its requirement, or null if it does. */
function objectionTo({ file, title }: Cited, outcomes: Outcomes): string | null {
  const found = outcomes.get(file)?.get(title) ?? []
  if (found.length === 0) return `no test '${title}' ran in ${file}`
  if (found.length > 1) return `${file} has ${found.length} tests '${title}'`
  return found[0] === 'passed' ? null : `the test '${title}' of ${file} was ${found[0]}`
}

/** The rows whose tests do not show what they are cited for. */
export function checkOutcomes(rows: readonly Row[], outcomes: Outcomes): Violation[] {
  return rows.flatMap(({ id, line, tests }) =>
    tests.flatMap((cited) => {
      const objection = objectionTo(cited, outcomes)
      return objection === null ? [] : [{ file: page, line, message: `${id}: ${objection}` }]
    }),
  )
}

/**
 * One line: for each prefix the rows that are satisfied, of how many ids, and how many are planned.
 * A row is satisfied when all tests it cites passed and none is to come.
 */
export function summaryOf(rows: readonly Row[], wrong: readonly Violation[]): string {
  const broken = new Set(wrong.map((violation) => /: (\S+): /.exec(shown(violation))?.[1]))
  return [...new Set(ids.map(prefixOf))]
    .map((prefix) => {
      const wanted = ids.filter((id) => prefixOf(id) === prefix).length
      const own = rows.filter(({ id }) => prefixOf(id) === prefix)
      const planned = own.filter((row) => row.planned !== null).length
      const satisfied = own.filter(({ id, planned: issue }) => issue === null && !broken.has(id))
      return `${prefix} ${satisfied.length}/${wanted}${planned > 0 ? ` (${planned} planned)` : ''}`
    })
    .join(' ')
}
