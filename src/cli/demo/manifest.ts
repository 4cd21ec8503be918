/**
 * The lines of a manifest, as `sha256sum` writes them and `sha256sum -c` reads them.
 *
 * @module
 */
import type { BytePath } from './path.js'

/** What a manifest is called in its folder. */
export const manifestName = 'SHA256SUMS'

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
])
const originals: ReadonlyMap<string, string> = new Map(
  [...escapes].map(([original, escape]) => [escape, original]),
)

/** The line for a file, with its line end. A backslash in front says that the name is escaped. */
export function manifestLine(sum: string, name: BytePath): string {
  const escaped = name.replace(/[\\\n\r]/g, (character) => escapes.get(character) ?? character)
  return `${escaped === name ? '' : '\\'}${sum}  ${escaped}\n`
}

/** What a manifest says: for each name the sums on its lines. */
export interface Manifest {
  readonly sums: ReadonlyMap<string, readonly string[]>
  /** How many of its lines say nothing. */
  readonly bad: number
}

/** @param text - the manifest's content, a character for each byte */
export function readManifest(text: string): Manifest {
  const sums = new Map<string, string[]>()
  let bad = 0
  const lines = text.split('\n')
  if (lines.pop() !== '') bad++ // what follows the last line end is a line that was cut off
  for (const line of lines) {
    const [, escaped, sum = '', rest = ''] = /^(\\?)([0-9a-f]{64}) {2}([^]+)$/.exec(line) ?? []
    if (escaped === undefined) {
      bad++
      continue
    }
    const name = escaped === '' ? rest : rest.replace(/\\./g, (it) => originals.get(it) ?? it)
    const known = sums.get(name)
    if (known === undefined) sums.set(name, [sum])
    else known.push(sum)
  }
  return { sums, bad }
}
