/**
 * The library's own files, as they are built one by one.
 *
 * @module
 */
import { codeIn, dist } from '../model/catalogue.js'

const code = codeIn(dist)

/** A module of `dist/`. */
export async function built<Module>(file: string): Promise<Module> {
  return (await code(file)) as Module
}
