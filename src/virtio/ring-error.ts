/** A virtqueue that breaks the rules: its driver is to be told, and it stands until it is reset. */
export class RingError extends Error {
  override readonly name = 'RingError'
}
