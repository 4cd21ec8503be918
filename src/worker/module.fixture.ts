/**
 * Modules for tests, written where they are used.
 *
 * @module
 */

import { setEnvironmentData } from '../os/thread.js'

/** A module with this text. */
export function moduleOf(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`)
}

/** A module whose default export is this function: `(data, self) => 7`. */
export function functionOf(text: string): URL {
  return moduleOf(`export default ${text}`)
}

/**
 * Runs `create`, which creates a worker of a module that begins with {@link beginning}, and holds
 * this thread until the module has begun to load. So a deadline that has passed by then passes while
 * the module loads, however long the thread took to get there.
 */
export function whileLoading<Result>(create: () => Promise<Result>): Promise<Result> {
  const begun = new Int32Array(new SharedArrayBuffer(4))
  setEnvironmentData('begun', begun)
  const created = create()
  Atomics.wait(begun, 0, 0, 60_000)
  return created
}

/** The text that a module begins with for {@link whileLoading}. */
export const beginning = `
  import { getEnvironmentData } from 'node:worker_threads'
  Atomics.store(getEnvironmentData('begun'), 0, 1)
  Atomics.notify(getEnvironmentData('begun'), 0)
`
