/**
 * The ids of the kernel specification. It is no part of the package, so they are written out here;
 * a test compares them with the specification where that lies beside the checkout.
 *
 * @module
 */

/** First and last number, for each run of ids with the same prefix. */
const ranges: readonly [string, ...(readonly [number, number])[]][] = [
  ['KT', [1, 28]],
  ['UW', [1, 14], [20, 27]],
  ['INV-KT', [1, 8]],
  ['INV-UW', [1, 5]],
  ['BUG-KT', [1, 9]],
  ['BUG-UW', [1, 9]],
  ['NP', [1, 4]],
  ['WQ', [1, 8], [10, 25], [30, 37], [40, 48], [50, 64], [70, 79]],
  ['INV-IOWQ', [1, 18]],
  ['BUG-IOWQ', [1, 23]],
  ['VH', [1, 7], [10, 17], [20, 27], [30, 34], [40, 42]],
  ['INV-VH', [1, 9]],
  ['BUG-VH', [1, 12]],
  ['SG', [1, 11]],
  ['INV-SIG', [1, 5]],
  ['BUG-SIG', [1, 6]],
]

/** Every id, in the order in which it is reported. */
export const ids: readonly string[] = ranges.flatMap(([prefix, ...runs]) =>
  runs.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => `${prefix}-${first + index}`),
  ),
)

/** Those that the specification calls impossible in this runtime, as a whole or in a part. */
export const maybeImpossible: ReadonlySet<string> = new Set(['UW-25', 'VH-40', 'VH-41'])

/** What an id begins with: `BUG-KT` of `BUG-KT-3`. */
export function prefixOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'))
}

const anId = /\b(?:(?:INV|BUG)-(?:KT|UW|IOWQ|VH|SIG)|KT|UW|WQ|VH|SG|NP)-\d+\b/g

/** The ids in a text, such as the title of a test, each once. */
export function idsIn(text: string): string[] {
  return [...new Set(text.match(anId))]
}

/** The ids that a specification defines: those at the beginning of a row or of an item of a list. */
export function definedIn(specification: string): string[] {
  return specification.split('\n').flatMap((line) => {
    const begin = /^(?:\| |\* )(?:\*\*)?([A-Z]+(?:-[A-Z]+)?-\d+)(?:\*\*)? /.exec(line)?.[1] ?? ''
    return idsIn(begin).filter((id) => id === begin)
  })
}
