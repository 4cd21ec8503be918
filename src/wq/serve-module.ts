/**
 * The module that a queue's workers run: `entry.ts`, which lies beside this file, or in the bundle
 * that the option `entry` names.
 *
 * @module
 */

import { isWhole } from '../worker/index.js'

/** What it is called in a bundle. */
export const bundledServe = 'userworker:serve'

/** @param entry - the option of the queue */
export function serveModule(entry: URL | string | undefined): URL | string {
  return isWhole(entry) ? bundledServe : new URL('./entry.js', import.meta.url)
}
