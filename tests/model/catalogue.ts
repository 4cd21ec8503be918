/**
 * The protocols of `protocols/`, on the code of this build or of another.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { root } from '../root.js'
import type { MakeProtocol, Protocol } from './engine/protocol.js'

const folder = fileURLToPath(new URL('./protocols/', import.meta.url))

/** Where the project's own code is built. */
export const dist: string = join(root, 'dist')

/** Loads compiled modules from a folder such as `dist`. */
export function codeIn(built: string): (file: string) => Promise<unknown> {
  return (file) => import(pathToFileURL(join(built, file)).href)
}

/** All protocols, by name; those without a default export are what protocols have in common. */
export async function protocols(built: string = dist): Promise<Map<string, Protocol>> {
  const all = new Map<string, Protocol>()
  for (const file of readdirSync(folder).sort()) {
    if (!/^[\w-]+\.js$/.test(file)) continue
    const module = (await import(pathToFileURL(join(folder, file)).href)) as {
      default?: MakeProtocol
    }
    if (module.default === undefined) continue
    const protocol = await module.default(codeIn(built))
    all.set(protocol.name, protocol)
  }
  return all
}
