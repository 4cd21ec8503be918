/**
 * What was seen, as a table and as a page.
 *
 * @module
 */
import { columns } from '../table.js'
import type { Row } from './row.js'
import type { Outcome } from './trial.js'

/** A pool, and what came of it by the rows' titles. */
export interface Line {
  readonly row: Row
  readonly pool: string
  readonly outcome: Outcome
}

/** Who was tried, and with what. */
export interface Setting {
  readonly node: string
  readonly isolation: string
  /** The versions of the pools, by name. */
  readonly versions: Readonly<Record<string, string>>
}

/** Whether our pool did what the row expects, in time, and the next work ran. */
export function isSettled({ row, outcome }: Line, withinMs: number): boolean {
  if ('missing' in outcome) return true
  const { seen, ms, next } = outcome
  return seen === row.expected && ms <= (row.deadlineMs ?? 0) + withinMs && next === 'runs'
}

/** Our last line. */
export function summaryOf(lines: readonly Line[], withinMs: number): string {
  const own = lines.filter(({ pool }) => pool === 'ours')
  const tried = own.filter(({ outcome }) => !('missing' in outcome))
  const settled = tried.filter((line) => isSettled(line, withinMs))
  const left = own.length - tried.length
  const note = left === 0 ? '' : ` (${left} not tried, see above)`
  return `settled ${settled.length}/${tried.length}${note}`
}

/** The table for a terminal: a line for each row and pool. */
export function tableOf(lines: readonly Line[], withinMs: number): string {
  const titles = ['failure', 'pool', 'expected', 'seen', 'next work', '', 'ms']
  let last = ''
  const cells = lines.map((line) => {
    const { row, pool, outcome } = line
    const title = row.title === last ? '' : row.title
    last = row.title
    const isOurs = pool === 'ours'
    const expected = isOurs ? row.expected : ''
    if ('missing' in outcome) return [title, pool, expected, outcome.missing, '', '', '']
    const flag = isOurs && !isSettled(line, withinMs) ? 'WRONG' : ''
    return [title, pool, expected, outcome.seen, outcome.next, flag, String(outcome.ms)]
  })
  return columns([titles, ...cells], 6).join('\n')
}

/**
 * The page: ours alone, and then all side by side.
 *
 * @param isolated - ours in child processes
 */
export function pageOf(
  lines: readonly Line[],
  setting: Setting,
  withinMs: number,
  isolated: readonly Line[] = [],
): string {
  const own = lines.filter((line) => line.pool === 'ours' && !isAbsent(line))
  const names = [...new Set(lines.map(({ pool }) => pool))]
  const versions = names.map((name) => `${name} ${setting.versions[name] ?? ''}`.trimEnd())
  const allRows = own.map(({ row }) => [
    row.title,
    ...names.map((name) => cellOf(lines, row, name)),
  ])
  return (
    [
      '# Every promise settles',
      introduction,
      `Measured with Node ${setting.node}: ${versions.join(', ')}; workers of ours are ${setting.isolation}s.`,
      '## Ours',
      ownTable(own, withinMs),
      ...isolatedSection(isolated, withinMs),
      '## Beside other pools',
      legend,
      markdown(['failure', ...names], allRows),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  )
}

/** Ours in child processes. */
function isolatedSection(lines: readonly Line[], withinMs: number): string[] {
  if (lines.length === 0) return []
  const present = lines.filter((line) => !isAbsent(line))
  const text = "The same with `isolation: 'process'`, where the row applies."
  return ['## Ours, in child processes', text, ownTable(present, withinMs)]
}

function ownTable(own: readonly Line[], withinMs: number): string {
  const table = markdown(['failure', 'expected', 'seen', 'ms', 'the next work'], own.map(ownCells))
  return `${table}\n\n${summaryOf(own, withinMs).replace(/\d+\/\d+/, '$& as expected')}`
}

/** Whether our pool has no such thing, in this build or with this isolation. */
const isAbsent = ({ outcome }: Line): boolean => 'missing' in outcome && outcome.missing === 'n/a'

function ownCells({ row, outcome }: Line): string[] {
  const first = [row.title, code(row.expected)]
  if ('missing' in outcome) return [...first, outcome.missing, '', '']
  return [...first, code(outcome.seen), String(outcome.ms), outcome.next]
}

const introduction = [
  'What becomes of the promise of a work when something goes wrong, and whether the next work runs.',
  'Every line is a process of its own with a pool of one worker; the time counts from what went wrong',
  'to the end of the promise, and a promise that is pending after 5 seconds is a hang; of 1,000 works',
  'the hang says how many are. The sources are',
  'in `bench/src/settle/`; `npm run -s settle -- --write` writes this page, and the test suite runs the',
  'lines of ours.',
].join('\n')

const legend = [
  'Each pool is used as its own documentation says: `AbortSignal.timeout` where it has signals and no',
  'time-out, its closing with a deadline where it has one. piscina and tinypool run nothing beside a work',
  'that has a signal, and poolifier does not end its thread. The next work runs unless the cell says',
  'otherwise; n/a: the pool has no such thing.',
].join('\n')

function cellOf(lines: readonly Line[], row: Row, name: string): string {
  const outcome = lines.find((line) => line.row === row && line.pool === name)?.outcome
  if (outcome === undefined) return ''
  if ('missing' in outcome) return outcome.missing
  const next = outcome.next === 'runs' ? '' : `; next: ${code(outcome.next)}`
  const { seen, ms } = outcome
  return seen.startsWith('HANG') ? `**${seen}**${next}` : `${code(seen)}, ${ms} ms${next}`
}

const code = (text: string): string => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``

function markdown(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [titles, titles.map(() => '---'), ...rows].map(line).join('\n')
}
