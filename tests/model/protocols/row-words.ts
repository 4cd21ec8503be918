/**
 * The words of the table of workers, as those who read a schedule know them.
 *
 * @module
 */

/** Names a word of the table by its row and its field. */
export function rowWordName(
  { at, Field }: typeof import('../../../src/worker/table.js'),
  index: number,
): string {
  const rowWords = at(1, 0)
  const row = Math.floor(index / rowWords)
  const field = index % rowWords
  const names = row === 0 ? { CONTROL: 1, HIGHEST_ROW: 2, LAST_ID: 3 } : Field
  const name = Object.entries(names).find(([, place]) => place === field)?.[0]
  return `row ${row} ${name ?? `word ${field}`}`
}

/** Says what a control word means. */
export function controlName(
  { Flag, hasFlag, stateName }: typeof import('../../../src/worker/state.js'),
  word: number,
): string {
  const flags = Object.entries(Flag).flatMap(([name, flag]) => (hasFlag(word, flag) ? [name] : []))
  return [stateName(word), ...flags].join(' ')
}
