/**
 * Rows as a table.
 *
 * @module
 */
import { columns } from '../table.js'
import type { Row } from './figures.js'
import { limits, peers } from './sides.js'

const shown = (value: number | null | undefined): string => String(value ?? '-')

/** The table of one version of Node, and what is to be said of it. */
export function tableOf(rows: readonly Row[]): string {
  const titles = ['', '', 'ours', ...peers, ...limits, 'ratio', 'when quiet']
  const lines = rows.map((row) => [
    row.case,
    row.unit,
    shown(row.ours),
    ...peers.map((peer) => shown(row.peers[peer])),
    ...limits.map((limit) => shown(row.limits[limit])),
    shown(row.ratio),
    row.ratioWhenQuiet === undefined
      ? ''
      : `${shown(row.ratioWhenQuiet)} (${row.quietRounds} of ${row.rounds})`,
  ])
  const notes = new Map<string, string[]>()
  for (const row of rows)
    for (const [side, note] of Object.entries(row.notes)) {
      const text = `${side}: ${note}`
      notes.set(text, [...(notes.get(text) ?? []), row.case])
    }
  const notesShown = [...notes].map(([text, cases]) => `${text} (${cases.join(', ')})`)
  const table = columns([titles, ...lines], 2)
  const legend = 'ratio: times as good as the best peer. Of works/s and beats/s more is better.'
  return [`dispatch, Node ${rows[0]?.node}`, '', ...table, '', legend, ...notesShown].join('\n')
}
