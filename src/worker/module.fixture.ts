/**
 * Modules for tests, written where they are used.
 *
 * @module
 */

/** A module with this text. */
export function moduleOf(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`)
}

/** A module whose default export is this function: `(data, self) => 7`. */
export function functionOf(text: string): URL {
  return moduleOf(`export default ${text}`)
}
