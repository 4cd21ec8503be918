/**
 * What a simulated world is: real code of the library on a clock, threads and channels that one seed
 * drives, beside a plain model of what it must answer.
 *
 * @module
 */

/** What one seed came to. The same seed gives the same outcome, to the last operation. */
export interface Outcome {
  /** Operations that the seed asked for. */
  readonly operations: number
  /** How often each kind of fault happened. */
  readonly faults: ReadonlyMap<string, number>
  /** The edges of the state tables that were taken. */
  readonly edges: ReadonlySet<string>
  /** What differed from the model, in one sentence for each; none is right. */
  readonly divergences: readonly string[]
  /** Whether the simulation itself held something up for good: then nothing can be said of the seed. */
  readonly isVoid?: boolean
  /** A number of all that happened, in its order: equal for equal runs. */
  readonly digest: string
}

/** A system that is simulated. */
export interface World {
  readonly name: string
  /** Every kind of fault there is: each happens in at least a twentieth of the seeds. */
  readonly faults: readonly string[]
  /** Every edge of the state tables that can be reached: all are, by enough seeds. */
  readonly edges: readonly string[]
  /** Edges that hundreds of seeds may or may not reach, since too much must come together. */
  readonly rare: readonly string[]
  /**
   * @param seed - an unsigned number of 32 bits
   * @param tell - where given, hears each step, one line each
   */
  run(seed: number, tell?: (line: string) => void): Promise<Outcome>
}
