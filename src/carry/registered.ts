/**
 * What all carriers are to those who capture and restore.
 *
 * @module
 */

/**
 * A carrier, as the registry has it. A thread may have several copies of this library, of several
 * versions: so these are the registry's format.
 */
export interface Registered {
  readonly name: string
  readonly immutable: boolean
  /** Whether it is all in the asynchronous context. */
  readonly isStore: boolean
  /** What there is to carry now, by whose identity it is known again; undefined: nothing. */
  readonly look: () => unknown
  /** What is sent for it; undefined: nothing. */
  readonly pack: (found: unknown) => unknown
  /** What arrived, as {@link run} takes it. */
  readonly unpack: (sent: unknown) => unknown
  readonly run: <Result>(unpacked: unknown, fn: () => Result) => Result
}
