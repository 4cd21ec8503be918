/**
 * How files of the tree are opened: never through a link, and without waiting should a pipe have
 * taken a file's place since the walk.
 *
 * @module
 */
import { constants, type Stats } from 'node:fs'
import type { Entry } from './tree.js'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/** Windows lacks some of them; there they are undefined, which counts as 0 here. */
export const readFlags: number = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** What tells whether a file was changed. */
export interface Version {
  readonly size: number
  readonly mtimeMs: number
}

/** The version of an open file. Something that is no regular file is none that the walk saw. */
export function versionOf(stats: Stats): Version {
  return { size: stats.isFile() ? stats.size : -1, mtimeMs: stats.mtimeMs }
}

/** Whether a file is as the walk saw it. */
export function isSame(entry: Entry, { size, mtimeMs }: Version): boolean {
  return size === entry.size && mtimeMs === entry.mtimeMs
}
