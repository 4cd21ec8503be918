/**
 * A message of the frontend's that is well formed and is not followed: it comes at the wrong time, asks
 * for what there is not, or cannot be done. What was there before stays as it was. The session answers it
 * with an error where the frontend waits for an answer, and ends the connection where it does not.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Whether the connection ends where the frontend waits for no answer. */
  readonly ends: boolean

  constructor(message: string, { ends = true }: { ends?: boolean } = {}) {
    super(message)
    this.ends = ends
  }
}

/** @throws Refusal unless `holds` */
export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Refusal(otherwise)
}
