/**
 * The items of a vhost worker's list, as the protocols over it have them. What they stand for makes no difference
 * to the list.
 *
 * @module
 */
export const vring = 0
export const command = 1
export const sentinel = 2
export const names: readonly string[] = ['vring', 'command', 'sentinel']

/** The name of a word of their list. */
export function listWordName(index: number): string {
  return ['HEAD', ...names.map((each) => `NEXT of ${each}`)][index] ?? ''
}
