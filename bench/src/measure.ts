/**
 * What a measure is.
 *
 * @module
 */
/** What one child process measured: microseconds, by what was timed. */
export type Samples = Record<string, number[]>

/** One way to do the thing: ours or a raw one. It is run in a process of its own. */
export interface Side {
  sample(count: number): Promise<Samples>
}

/** A line of the result: samples of one side beside those of its raw partner. */
export interface Row {
  readonly name: string
  readonly unit: 'ms' | 'us'
  /** Side and what was timed there, as `side.timed`. */
  readonly ours: string
  readonly raw: string
}

/** A thing that is measured, and the ways to do it, which take turns. */
export interface Measure {
  readonly name: string
  /** How many samples one process takes. */
  readonly count: number
  /** The same for a trial whose numbers mean nothing. */
  readonly quickCount: number
  readonly sides: Readonly<Record<string, Side>>
  readonly rows: readonly Row[]
}
