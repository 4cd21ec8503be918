/**
 * What comes of the rounds: medians, ratios, a table.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import type { Row } from './measure.js'
import { spreadOf, type Rounds, type Spread } from './rounds.js'
import { columns } from './table.js'

/** What `--json` prints. The names of rows are stable. */
export interface Report {
  bench: string
  node: string
  cpus: number
  rows: Line[]
}

/** A row of the report. What the library measured does not have is null. */
export interface Line {
  name: string
  unit: Row['unit']
  ours: Spread | null
  raw: Spread | null
  /** Of the medians; below 1 we are faster. */
  ratio: number | null
}

export function report(bench: string, rows: Line[]): Report {
  return { bench, node: process.versions.node, cpus: availableParallelism(), rows }
}

/** A row: the medians over the rounds. */
export function lineOf({ name, unit, ours, raw }: Row, rounds: Rounds): Line {
  const [mine, other] = [medians(rounds.get(ours), unit), medians(rounds.get(raw), unit)]
  const ratio = mine === null || other === null ? null : rounded(mine.p50 / other.p50)
  return { name, unit, ours: mine, raw: other, ratio }
}

function medians(spreads: readonly Spread[] | undefined, unit: Row['unit']): Spread | null {
  if (spreads === undefined) return null
  const scale = unit === 'ms' ? 1000 : 1
  const median = (rank: keyof Spread): number =>
    rounded(spreadOf(spreads.map((each) => each[rank])).p50 / scale)
  return { p50: median('p50'), p99: median('p99') }
}

/** Three digits tell more than the noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

/** The report as a table. */
export function tableOf({ bench, node, cpus, rows }: Report): string {
  const cells = rows.map(({ name, unit, ours, raw, ratio }) => [
    name,
    unit,
    ...[ours?.p50, ours?.p99, raw?.p50, raw?.p99, ratio].map((value) => String(value ?? '-')),
  ])
  const lines = [['', '', 'ours p50', 'p99', 'raw p50', 'p99', 'ratio'], ...cells]
  const table = columns(lines, 2)
  return [`${bench}, Node ${node}, ${cpus} CPUs`, '', ...table].join('\n')
}
