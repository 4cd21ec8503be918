/**
 * Where the project is: compiled, this file lies in build/tests/.
 *
 * @module
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the project's package.json, as an absolute path. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
