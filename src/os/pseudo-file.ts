/**
 * Reads the small files of /proc and /sys. What is not there, or cannot be read, is `null`: threads
 * and processes end while they are looked at, and other systems have no such files.
 *
 * @module
 */
import { join } from 'node:path'
import { builtin } from './builtin.js'

const { readdirSync, readFileSync, readlinkSync, statSync } = builtin('node:fs')

/** Where the system's own tree begins. Tests give the folder of a tree of their own instead. */
export const systemRoot = '/'

/** The text of a file, or `null`. */
export function textOf(path: string, root: string): string | null {
  return orNull(() => readFileSync(join(root, path), 'utf8'))
}

/** Where a symbolic link points, or `null`. */
export function linkOf(path: string, root: string): string | null {
  return orNull(() => readlinkSync(join(root, path)))
}

/**
 * The entries of a folder whose names are whole numbers, in rising order; none where there is no
 * such folder.
 */
export function numbersIn(path: string, root: string): number[] {
  const names = orNull(() => readdirSync(join(root, path))) ?? []
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** The user id of a file's owner, or `null`. */
export function ownerOf(path: string, root: string): number | null {
  return orNull(() => statSync(join(root, path)).uid)
}

/**
 * A file about the calling thread, or about its process where the system has none for threads. A
 * thread may have other CPUs and another cgroup than its process, and hands them on to threads it
 * makes.
 */
export function ownText(name: string, root: string): string | null {
  return textOf(`proc/thread-self/${name}`, root) ?? textOf(`proc/self/${name}`, root)
}

function orNull<T>(look: () => T): T | null {
  try {
    return look()
  } catch {
    return null
  }
}
