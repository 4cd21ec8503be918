/**
 * What may stand behind `npm run bench -- dispatch`.
 *
 * @module
 */
import { isAbsolute } from 'node:path'
import { parseArgs } from 'node:util'
import type { Measure } from './measure.js'
import { caseNames, measures } from './measures.js'

export interface Arguments {
  readonly json: boolean
  readonly quick: boolean
  readonly rounds: number
  /** The chosen cases, and the measures that give them. */
  readonly cases: readonly string[]
  readonly measures: readonly Measure[]
  /** The programs to run, one after the other. */
  readonly nodes: readonly string[]
  /** Where results are written, if not to the folder of the project. */
  readonly results: string | null
}

/** Odd, so that the median is one of them; enough that one disturbed round does no harm. */
const defaultRounds = 5

const options = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  case: { type: 'string', multiple: true },
  node: { type: 'string', multiple: true },
  results: { type: 'string' },
} as const

/**
 * Reads the arguments.
 *
 * @throws Error with a sentence for the user
 */
export function readArguments(args: readonly string[], thisNode: string): Arguments {
  const { values } = parseArgs({ args: [...args], options })
  const { json, quick, results = null, case: names = [], node: programs = [] } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : defaultRounds))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be 1 or more')
  const unknown = names.find((name) => !caseNames.includes(name))
  if (unknown !== undefined)
    throw new Error(`there is no case '${unknown}'. There is: ${caseNames.join(', ')}`)
  const cases = names.length === 0 ? caseNames : names
  const wrong = programs.find((node) => !isAbsolute(node))
  if (wrong !== undefined)
    throw new Error(`--node must be a version of Node, such as 24, or a program, not '${wrong}'`)
  return {
    json,
    quick,
    rounds,
    cases,
    measures: measures.filter((measure) => measure.cases.some(({ name }) => cases.includes(name))),
    nodes: programs.length === 0 ? [thisNode] : programs,
    results,
  }
}
