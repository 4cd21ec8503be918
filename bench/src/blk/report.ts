/**
 * Rows as a table.
 *
 * @module
 */
import { columns } from '../table.js'
import type { Row, Spread } from './figures.js'

const shown = (spread: Spread | undefined): string =>
  spread === undefined ? '-' : `${spread.median} (${spread.least}–${spread.most})`

export function tableOf(rows: readonly Row[], sides: readonly string[]): string {
  const titles = ['', '', ...sides, 'ratio', ...sides.map((side) => `CPU µs ${side}`)]
  const lines = rows.map((row) => [
    row.setting,
    row.case,
    ...sides.map((side) => shown(row.sides[side])),
    `${row.ratio ?? '-'}`,
    ...sides.map((side) => `${row.sides[side]?.cpuUs ?? '-'}`),
  ])
  const legend =
    'Requests per second: the median of the rounds, least and most; ratio: ours to the better of the others; ' +
    'CPU time of the backend for a request.'
  return [
    `blk, Node ${process.versions.node}`,
    '',
    ...columns([titles, ...lines], 2),
    '',
    legend,
  ].join('\n')
}
