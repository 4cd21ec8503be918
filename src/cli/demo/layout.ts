/**
 * Where the output of a run goes:
 *
 * - `files/<path>.gz`: each file, pressed
 * - `sums/<folder>/SHA256SUMS`: a manifest for each folder with files
 *
 * The two trees are apart because a file of the input may itself be called SHA256SUMS: pressed and
 * unpressed again in place, it would take the manifest's name. Within a tree a *folder* could have
 * the name of a file of ours: `a.gz/` beside `a`, or a folder SHA256SUMS. Such a folder gets `.d`
 * behind its name.
 *
 * @module
 */
import type { Dirent } from 'node:fs'
import { manifestName } from './manifest.js'
import { asName, joined, type BytePath } from './path.js'
import type { Entry, Folder } from './tree.js'

/** The folders below the root of a run's output. */
export const pressedTree: BytePath = asName('files')
export const manifestTree: BytePath = asName('sums')

export const pressedSuffix = '.gz'
const folderSuffix = '.d'

/** What the folders in a list are called in the output, where that is not their own name. */
export function outputNames(list: readonly Dirent[]): ReadonlyMap<BytePath, BytePath> {
  const renamed = new Map<BytePath, BytePath>()
  const suspects = list.filter(({ name }) => name.endsWith(pressedSuffix) || name === manifestName)
  if (!suspects.some((item) => item.isDirectory())) return renamed
  const names = new Set(list.map(({ name }) => name))
  for (const { name } of suspects.filter((item) => item.isDirectory())) {
    let output = name
    while (
      output === manifestName ||
      (output.endsWith(pressedSuffix) && names.has(output.slice(0, -pressedSuffix.length))) ||
      (output !== name && names.has(output))
    )
      output += folderSuffix
    if (output !== name) renamed.set(asName(name), asName(output))
  }
  return renamed
}

/** Where a pressed file goes, from the root of the run's output. */
export function pressedPath({ folder, name }: Entry): BytePath {
  return joined(pressedTree, folder.outputPath, `${name}${pressedSuffix}`)
}

/** Where a folder's manifest goes, from the root of the run's output. */
export function manifestPath(folder: Folder): BytePath {
  return joined(manifestTree, folder.outputPath, manifestName)
}
