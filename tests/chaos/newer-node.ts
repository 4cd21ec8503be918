/**
 * A newer Node than the one that runs the tests, where one is installed: `npm run matrix` and the
 * tests of `fits/` bring it.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'

/** Its program; null where there is none. */
export function newerNode(): string | null {
  const name = `node-${process.platform}-${process.arch}`
  const node = join(root, '.cache', 'node-24', 'node_modules', name, 'bin', 'node')
  return existsSync(node) ? node : null
}
