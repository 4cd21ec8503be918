/**
 * What a queue's workers are called.
 *
 * @module
 */

/** The part of a worker's name that `ps` shows: 15 bytes less `uw:`. */
const visibleBytes = 12

/** Cuts a queue's name so that the number behind it stays visible. */
export function serverName(queue: string, number: number): string {
  const suffix = `-${number}`
  const characters = Array.from(queue)
  while (characters.length > 1 && Buffer.byteLength(characters.join('') + suffix) > visibleBytes) {
    characters.pop()
  }
  return characters.join('') + suffix
}
