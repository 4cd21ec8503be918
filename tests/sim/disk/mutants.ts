/**
 * Changes of the library that make it wrong: the simulation finds each of them.
 *
 * @module
 */

/** A piece of a file below `src/`, and what stands there instead. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly before: string
  readonly after: string
}

export const mutants: readonly Mutant[] = []
