/**
 * The walk: which files there are, how big, and when they were changed last.
 *
 * @module
 */
import { lstatSync, readdirSync, type Dirent } from 'node:fs'
import { nextTurn } from '../../os/clock.js'
import type { NamedList } from './findings.js'
import { outputNames, pressedSuffix } from './layout.js'
import { asName, fsPath, joined, reasonOf, shown, type BytePath } from './path.js'
import { pathOf, type Entry, type Folder, type Tree } from './tree.js'

/** The system's limits, in bytes: NAME_MAX, and PATH_MAX less the NUL behind a path. */
const longest = { name: 255, path: 4095 }

/**
 * Some hundred calls take less than a millisecond: short enough for Ctrl-C, long enough for speed.
 */
const callsPerTurn = 256

/**
 * Walks a tree. Links are not followed.
 *
 * @param outputRoom - how many bytes the path of the output's root takes at most
 */
export async function walk(
  root: BytePath,
  outputRoom: number,
  unreadable: NamedList,
  signal: AbortSignal,
): Promise<Tree> {
  const files: Entry[] = []
  const folders: Folder[] = [{ path: asName(''), outputPath: asName('') }]
  let seen = 0
  let skipped = 0
  let calls = 0
  const breathe = async (): Promise<void> => {
    if (++calls % callsPerTurn !== 0) return
    await nextTurn()
    signal.throwIfAborted()
  }
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    seen++
    await breathe()
    const list = read(root, folder, unreadable)
    const names = outputNames(list)
    for (const item of list) {
      const name = asName(item.name)
      if (item.isDirectory()) {
        const outputPath = joined(folder.outputPath, names.get(name) ?? name)
        folders.push({ path: joined(folder.path, name), outputPath })
      } else if (item.isFile()) {
        await breathe()
        const entry = look(root, folder, name, unreadable)
        if (entry !== null && fits(entry, outputRoom, unreadable)) files.push(entry)
      } else skipped++
    }
  }
  signal.throwIfAborted()
  return { files, folders: seen, skipped }
}

function read(root: BytePath, folder: Folder, unreadable: NamedList): Dirent[] {
  try {
    const path = fsPath(joined(root, folder.path))
    return readdirSync(path, { encoding: 'latin1', withFileTypes: true })
  } catch (error) {
    unreadable.add(`${shown(folder.path) || '.'}/ (${reasonOf(error)})`)
    return []
  }
}

function look(root: BytePath, folder: Folder, name: BytePath, unreadable: NamedList): Entry | null {
  const path = joined(folder.path, name)
  try {
    const { size, mtimeMs } = lstatSync(fsPath(joined(root, path)))
    return { folder, name, size, mtimeMs, sum: '', changed: false }
  } catch (error) {
    unreadable.add(`${shown(path)} (${reasonOf(error)})`)
    return null
  }
}

/**
 * Whether there is room for the suffix behind its name, and for its path below the output's root.
 */
function fits(entry: Entry, outputRoom: number, unreadable: NamedList): boolean {
  const { folder, name } = entry
  const pressed = name.length + pressedSuffix.length
  const path = outputRoom + folder.outputPath.length + 1 + pressed
  if (pressed <= longest.name && path <= longest.path) return true
  unreadable.add(`${shown(pathOf(entry))} (its name leaves no room for ${pressedSuffix})`)
  return false
}
