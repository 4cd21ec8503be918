/**
 * The library's own files, as they are built one by one.
 *
 * @module
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../root.js'

/** A module of `dist/`. */
export async function built<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, 'dist', file)).href)) as Module
}
