/**
 * What becomes of a message that breaks the rules: its connection ends, and nothing else does.
 *
 * @module
 */

/** The other side has broken the rules. The message is one sentence that says how. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
