/**
 * What the commands show on a terminal.
 *
 * @module
 */
import { Table } from 'console-table-printer'

/** Characters that could move a terminal's cursor, change its colours or reorder its text. */
export const unprintable: RegExp = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text without such characters. */
export function printable(text: string): string {
  return text.replace(unprintable, '?')
}

/** A column of a table: the property of a row that it shows, and its title. */
export interface Column {
  readonly name: string
  readonly title: string
  readonly alignment: 'left' | 'right'
}

const noBorder = { left: '', right: '', mid: '', other: '' }

/** A table as lines, aligned, without lines or colours of its own. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly Record<string, string | number>[],
): string[] {
  const table = new Table({
    shouldDisableColors: true,
    style: {
      headerTop: noBorder,
      headerBottom: noBorder,
      tableBottom: noBorder,
      rowSeparator: noBorder,
      vertical: '',
    },
    columns: [...columns],
  })
  for (const row of rows) table.addRow(row)
  const lines = table.render().split('\n')
  // A border that is empty is still a line.
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '')
}

/** A CPU time for people. */
export function cpuTime(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
