/**
 * The parts of the command line that make guests, as the package ships them.
 *
 * @module
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../root.js'

const door = pathToFileURL(join(root, 'dist/cli/guest/index.js')).href

/** What a guest is made of. */
export const system = (await import(door)) as typeof import('../../src/cli/guest/index.js')
