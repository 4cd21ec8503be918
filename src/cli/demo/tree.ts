/**
 * What the walk found, and every other part goes by.
 *
 * @module
 */
import { joined, type BytePath } from './path.js'

/** A folder of the tree. */
export interface Folder {
  /** From the tree's root, whose own path is empty. */
  readonly path: BytePath
  /** Where its output goes, from the output's root. */
  readonly outputPath: BytePath
}

/** A file of the tree. */
export interface Entry {
  readonly folder: Folder
  readonly name: BytePath
  readonly size: number
  readonly mtimeMs: number
  /** Its SHA-256 in hexadecimal digits, as found without the library; empty before. */
  sum: string
  /** Whether it was found to differ from what the walk saw. */
  changed: boolean
}

/** What the walk found. */
export interface Tree {
  readonly files: Entry[]
  readonly folders: number
  /** Links, sockets, pipes and devices. */
  readonly skipped: number
}

/** A file's path from the tree's root. */
export function pathOf({ folder, name }: Entry): BytePath {
  return joined(folder.path, name)
}
