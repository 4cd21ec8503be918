/**
 * All measures, in the order of a round.
 *
 * @module
 */
import type { Measure } from './measure.js'
import { backlogs } from './measures/backlog.js'
import { carried } from './measures/carried.js'
import { idle } from './measures/idle.js'
import { keysAndSignals } from './measures/keys-and-signals.js'
import { latencies } from './measures/latency.js'
import { throughputs } from './measures/throughput.js'

export const measures: readonly Measure[] = [
  ...latencies,
  ...throughputs,
  ...keysAndSignals,
  ...carried,
  ...backlogs,
  ...idle,
]

export const caseNames: readonly string[] = measures.flatMap(({ cases }) =>
  cases.map(({ name }) => name),
)
