/**
 * Whether the manifests on disk say what they should: each file exactly once in its folder's
 * manifest, with the sum that was found without the library, and nothing else.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { manifestPath } from './layout.js'
import { readManifest } from './manifest.js'
import { fsPath, isSystemError, joined, reasonOf } from './path.js'
import type { Round } from './round.js'
import type { Entry, Folder } from './tree.js'

/** The files of each folder. */
export function byFolder(files: readonly Entry[]): ReadonlyMap<Folder, readonly Entry[]> {
  const folders = new Map<Folder, Entry[]>()
  for (const entry of files) {
    const list = folders.get(entry.folder)
    if (list === undefined) folders.set(entry.folder, [entry])
    else list.push(entry)
  }
  return folders
}

/** Compares all manifests of a round, and names what is wrong. */
export async function checkManifests(
  folders: ReadonlyMap<Folder, readonly Entry[]>,
  round: Round,
): Promise<void> {
  for (const [folder, files] of folders) {
    await checkManifest(folder, files, round)
    round.signal.throwIfAborted()
  }
}

async function checkManifest(folder: Folder, files: readonly Entry[], round: Round): Promise<void> {
  let text = ''
  try {
    text = await readFile(fsPath(joined(round.root, manifestPath(folder))), 'latin1')
  } catch (error) {
    if (!isSystemError(error)) throw error
    for (const entry of files) round.mismatch(entry, `its manifest: ${reasonOf(error)}`)
    return
  }
  const { sums, bad } = readManifest(text)
  for (const entry of files) {
    const found = sums.get(entry.name) ?? []
    if (found.length !== 1) round.mismatch(entry, `${found.length} times in its manifest`)
    else if (found[0] !== entry.sum) round.mismatch(entry, 'its sum in the manifest is another')
  }
  const names = new Set<string>(files.map(({ name }) => name))
  const strangers = [...sums.keys()].filter((name) => !names.has(name)).length
  if (strangers + bad > 0)
    round.mismatchIn(folder, `${strangers} names and ${bad} lines that do not belong there`)
}
