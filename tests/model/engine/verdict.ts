/**
 * Whether a protocol holds, and if it does not, the failure that is easiest to understand.
 *
 * @module
 */
import { Game } from './game.js'
import { Misuse, type Protocol } from './protocol.js'
import { search, type Failure, type SearchOptions } from './search.js'

/** What came out for a protocol. */
export interface Verdict {
  readonly name: string
  readonly threads: number
  /** The most pre-emptions in a schedule that was explored. */
  readonly preemptions: number
  readonly states: number
  readonly steps: number
  readonly schedules: number
  /** Null: it holds. */
  readonly failure: Failure | null
  readonly finished: boolean
  readonly ms: number
}

/** Enough for a schedule of few pre-emptions, and soon over. */
const mostStatesOfSimplest = 100_000

/** Searches a protocol through. */
export function judge(protocol: Protocol, options: Partial<SearchOptions> = {}): Verdict {
  const begun = performance.now()
  const { name, preemptions = Infinity } = protocol
  const threads = Object.keys(protocol.threads).length
  try {
    const findings = search(new Game(protocol), { preemptions, ...options })
    const { failure, finished } = findings
    const simplest =
      failure !== null && finished ? simplestOf(protocol, findings.preemptions) : null
    const ms = Math.round(performance.now() - begun)
    return { name, threads, ...findings, failure: simplest ?? failure, ms }
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    const nothing = { preemptions: 0, states: 0, steps: 0, schedules: 0, finished: false }
    return { name, threads, ...nothing, failure: { complaint: error.message, schedule: '' }, ms: 0 }
  }
}

/** A failure with as few pre-emptions as possible: the fewer, the easier to follow. */
function simplestOf(protocol: Protocol, most: number): Failure | null {
  for (let preemptions = 0; preemptions < most; preemptions++) {
    const options = { preemptions, mostStates: mostStatesOfSimplest }
    const { failure, finished } = search(new Game(protocol), options)
    if (!finished) return null
    if (failure !== null) return failure
  }
  return null
}
