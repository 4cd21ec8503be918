/**
 * Text in columns.
 *
 * @module
 */

/**
 * Lines of cells, one below the other: the first columns begin, the others end at the same place.
 */
export function columns(lines: readonly (readonly string[])[], leftColumns: number): string[] {
  const widths: number[] = []
  for (const line of lines)
    for (const [column, cell] of line.entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
  return lines.map((line) =>
    line
      .map((cell, column) =>
        column < leftColumns
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}
