/**
 * What the checks work on, and what they give back. A check is a pure function from a tree to violations,
 * so that its own test can give it a small made-up tree that it must object to.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files: path from the project's root, with slashes, to text. */
export type Tree = ReadonlyMap<string, string>

/** A place that breaks a convention, and what to do there instead. */
export interface Violation {
  readonly file: string
  /** Counted from 1; 1 where the whole file is meant. */
  readonly line: number
  readonly message: string
}

/** Looks at a whole tree for one kind of violation. */
export type Check = (tree: Tree) => Violation[] | Promise<Violation[]>

/** A made-up tree. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(files))
}

/** All files of the project but for the folders and endings that .gitignore lists. */
export function readTree(root: string): Tree {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n')
  const folders = new Set(['.git', ...ignored.map((line) => line.replace(/\/$/, ''))])
  const endings = ignored.flatMap((line) => (line.startsWith('*.') ? [line.slice(1)] : []))
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return folders.has(entry.name) ? [] : below(path)
      return entry.isFile() && !endings.some((ending) => path.endsWith(ending)) ? [path] : []
    })
  return new Map(
    below('')
      .sort()
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  )
}

/** A violation as an editor can open it: `src/os/clock.ts:3: …`. */
export function shown({ file, line, message }: Violation): string {
  return `${file}:${line}: ${message}`
}

/** The folder a file lies in; empty at the root. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

/** Every folder with a file below it. */
export function foldersOf(tree: Tree): string[] {
  const folders = new Set<string>()
  for (const path of tree.keys()) {
    for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) folders.add(folder)
  }
  return [...folders].sort()
}

/** Whether a file is code of the library itself: below src/, and no test, contract or fixture. */
export function isLibrary(path: string): boolean {
  return /^src\/.*\.[cm]?ts$/.test(path) && !isTestCode(path)
}

/** Whether a file below src/ serves tests only. */
export function isTestCode(path: string): boolean {
  return /\.(test|contract|fixture)\.[cm]?[jt]s$/.test(path)
}
