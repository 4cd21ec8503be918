/**
 * What can be said of the page of requirements without running a test.
 *
 * @module
 */
import type { Tree, Violation } from '../tidy/tree.js'
import { ids, idsIn, maybeImpossible } from './ids.js'
import { page, rowsOf, type Cited, type Row } from './page.js'

const classes = ['same', 'analogous', 'by construction', 'impossible']

/** The issues that rows without a test may point to. */
const issues: ReadonlySet<string> = new Set([
  'Owners: inheritance, limits, freeze and kill',
  "WorkQueue: io-wq's semantics on shared-memory rings",
  'vhost: virtio devices served to QEMU',
])

/** More than this in one title, and a failure no longer says what is broken. */
const mostIdsOfTitle = 3

/**
 * Each id has one row; each row has a class, files that are there, and tests whose titles are in
 * their files, or the issue that will bring them.
 */
export function checkRequirements(tree: Tree): Violation[] {
  const text = tree.get(page)
  if (text === undefined) return [{ file: page, line: 1, message: 'write it: one row for each id' }]
  const rows = rowsOf(text)
  return [
    ...missing(rows).map((id) => ({ file: page, line: 1, message: `${id}: it has no row` })),
    ...rows.flatMap((row, index) => {
      const again = rows.findIndex(({ id }) => id === row.id) < index
      return [...(again ? ['it has a row already'] : []), ...wrongWith(row, tree)].map(
        (message) => ({
          file: page,
          line: row.line,
          message: `${row.id}: ${message}`,
        }),
      )
    }),
  ]
}

function missing(rows: readonly Row[]): string[] {
  const found = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !found.has(id))
}

function wrongWith(row: Row, tree: Tree): string[] {
  const wrong: string[] = row.unreadable.map(
    (part) => `'${part}' is neither \`file: title\` in backticks nor planned: an issue`,
  )
  if (!ids.includes(row.id)) wrong.push('the specification has no such id')
  if (!classes.includes(row.class)) wrong.push(`its class must be one of ${classes.join(', ')}`)
  if (row.class === 'impossible' && !maybeImpossible.has(row.id)) {
    wrong.push('the specification does not call it impossible')
  }
  if (row.how === '') wrong.push('say how, or why')
  for (const file of row.files) if (!tree.has(file)) wrong.push(`there is no file ${file}`)
  if (row.files.length === 0 && row.planned === null) wrong.push('name the file that does it')
  if (row.planned !== null && !issues.has(row.planned)) {
    wrong.push(`there is no issue '${row.planned}'`)
  }
  if (row.tests.length === 0 && row.planned === null) wrong.push('cite a test, or plan one')
  return [...wrong, ...row.tests.flatMap((cited) => wrongWithCited(row.id, cited, tree))]
}

function wrongWithCited(id: string, { file, title }: Cited, tree: Tree): string[] {
  const cited = idsIn(title)
  const text = tree.get(file)
  const wrong: string[] = []
  if (!file.endsWith('.test.ts')) wrong.push(`${file} is no test file`)
  if (text === undefined) wrong.push(`there is no file ${file}`)
  else if (!literalsOf(title).some((literal) => text.includes(literal)))
    wrong.push(`${file} has no test '${title}'`)
  if (!cited.includes(id)) wrong.push(`the title '${title}' does not name ${id}`)
  if (cited.length > mostIdsOfTitle) {
    wrong.push(`the title '${title}' names ${cited.length} ids, more than ${mostIdsOfTitle}`)
  }
  return wrong
}

/** How a title may be written down in a source. */
function literalsOf(title: string): string[] {
  return [`'${title.replaceAll("'", "\\'")}'`, `"${title.replaceAll('"', '\\"')}"`]
}
