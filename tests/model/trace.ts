/**
 * What the double of shared memory has seen: each thread has a trace of its own.
 *
 * @module
 */
import type { MemoryOp } from './operations.js'

/** A step of this thread in shared memory. */
export interface Step {
  readonly op: MemoryOp
  readonly index: number
  /** What was written, added or set; null where the operation writes nothing. */
  readonly value: number | null
  /** What the word was to hold, where the operation asks for that. */
  readonly expected: number | null
  /** What the operation gave, if anything. */
  readonly result: number | boolean | string | null
}

/** All steps of this thread, in order. */
export const steps: Step[] = []

/** Adds a step to the trace and passes its result on. */
export function record<Result extends Step['result']>(
  op: Step['op'],
  index: number,
  result: Result,
  { value = null, expected = null }: Partial<Pick<Step, 'value' | 'expected'>> = {},
): Result {
  steps.push({ op, index, value, expected, result })
  return result
}
