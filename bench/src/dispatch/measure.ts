/**
 * What a measure is: something that is done in the same way with every side, in a process of its
 * own, and the cases whose figures come of it.
 *
 * @module
 */
import type { Open } from './pools/pool.js'
import type { Limit } from './sides.js'

/** Of `works/s` and `beats/s` more is better, of the others less. */
export type Unit = 'us' | 'ms' | 'ns' | 'MB' | '%' | 'works/s' | 'beats/s'

/** A line of the result. Its name stays what it is, so that results can be compared over time. */
export interface Case {
  readonly name: string
  readonly unit: Unit
  /** Which of the figures of a sample. */
  readonly figure: string
}

/** The figures of a sample, by name. */
export type Figures = Readonly<Record<string, number>>

/** How long the parts of a sample take. */
export interface Spans {
  /** Works are run for so long and not counted: code is compiled, workers are made. */
  readonly warmUpMs: number
  readonly measuredMs: number
  /** How long is looked at a pool that does nothing. */
  readonly idleMs: number
}

/** What a sample is taken of. */
export interface Subject {
  readonly open: Open
  readonly workers: number
  readonly spans: Spans
}

export interface Measure {
  readonly name: string
  readonly cases: readonly Case[]
  readonly workers: number
  readonly limits: readonly Limit[]
  readonly sample: (subject: Subject) => Promise<Figures>
  /**
   * A sample with so many workers is taken as well, and the figures are those of one worker more.
   */
  readonly baseWorkers?: number
  /** No peer can do it. */
  readonly onlyOurs?: boolean
  /** All threads share one CPU. */
  readonly onOneCpu?: boolean
  /** A sample that takes longer ends without a result. */
  readonly deadlineMs?: { readonly full: number; readonly quick: number }
  /** Rounds of a slow measure. */
  readonly mostRounds?: number
}

export const fullSpans: Spans = { warmUpMs: 500, measuredMs: 1000, idleMs: 3000 }
/** To see that everything runs. The figures are a hint. */
export const quickSpans: Spans = { warmUpMs: 150, measuredMs: 150, idleMs: 800 }

/** A hang is ended by this, a slow side is not: none takes ten seconds. */
export const defaultDeadlineMs = { full: 60_000, quick: 15_000 }

/** A measure of one case, of a figure called `value`. */
export function single(
  name: string,
  unit: Unit,
  sample: (subject: Subject) => Promise<number>,
  more: Partial<Omit<Measure, 'name' | 'cases' | 'sample'>> = {},
): Measure {
  return {
    name,
    cases: [{ name, unit, figure: 'value' }],
    workers: 1,
    limits: ['postMessage'],
    sample: async (subject) => ({ value: await sample(subject) }),
    ...more,
  }
}
