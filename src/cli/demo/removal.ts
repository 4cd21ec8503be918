/**
 * Removing a folder with all that is in it, at a steady pace: it takes no more memory for many
 * files than for few, and leaves room for a Ctrl-C.
 *
 * @module
 */
import { readdirSync, rmdirSync, unlinkSync, type Dirent } from 'node:fs'
import { nextTurn } from '../../os/clock.js'
import { asName, fsPath, isSystemError, joined, type BytePath } from './path.js'

/** Some hundred calls take a few milliseconds. */
const callsPerTurn = 256

/** What is not there needs no removal. */
export async function removeTree(root: BytePath): Promise<void> {
  let calls = 0
  const remove = async (folder: BytePath): Promise<void> => {
    for (const item of itemsOf(folder)) {
      const path = joined(folder, asName(item.name))
      if (item.isDirectory()) await remove(path)
      else unlinkSync(fsPath(path))
      if (++calls % callsPerTurn === 0) await nextTurn()
    }
    rmdirSync(fsPath(folder))
  }
  try {
    await remove(root)
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error
  }
}

function itemsOf(folder: BytePath): Dirent[] {
  return readdirSync(fsPath(folder), { encoding: 'latin1', withFileTypes: true })
}
