/**
 * `npm run model`: the protocols through all their interleavings, and their mutants.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { codeIn, dist, protocols } from './catalogue.js'
import { Game } from './engine/game.js'
import type { Protocol } from './engine/protocol.js'
import { replay } from './engine/replay.js'
import { judge, type Verdict } from './engine/verdict.js'
import { inconclusive, mutantsOf, testMutant, tryMutant, type Trial } from './mutants.js'

const usage = `npm run model -- [NAME [SCHEDULE]] [options]

  NAME                  one protocol only
  SCHEDULE              tell what happens in this schedule of it, step by step
  --json                print the findings as JSON, and nothing else
  --no-mutants          leave the mutants out
  --mutants-pass-tests  run the ordinary tests on each mutant instead: they must not notice it
  --preemptions N       no schedule with more pre-emptions than that
  --states N            the most states of a protocol; default 2,000,000
  --code FOLDER         check the code built there instead of this project's`

/** A protocol's line of the report. */
interface Row extends Verdict {
  readonly trials: readonly Trial[] | null
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    'no-mutants': { type: 'boolean', default: false },
    'mutants-pass-tests': { type: 'boolean', default: false },
    preemptions: { type: 'string' },
    states: { type: 'string' },
    code: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  if (options.help) return say(usage, 0)
  const [name, schedule] = positionals
  const all = await protocols(options.code)
  const chosen = [...all.values()].filter((one) => name === undefined || one.name === name)
  if (chosen.length === 0)
    return say(`There is no protocol '${name}'. There is: ${[...all.keys()].join(', ')}`, 2)
  if (schedule !== undefined) {
    for (const protocol of chosen) console.log(replay(new Game(protocol), schedule).join('\n'))
    return 0
  }
  if (options['mutants-pass-tests']) return testMutants(chosen)
  const rows = chosen.map(check)
  for (const complaint of rows.flatMap(complaintsOf)) console.error(complaint)
  if (options.json) console.log(JSON.stringify({ protocols: rows.map(asJson) }))
  else await printTable(rows)
  if (options.code !== undefined && rows.some((row) => !row.finished)) return inconclusive
  return rows.some((row) => complaintsOf(row).length > 0) ? 1 : 0
}

function say(text: string, code: number): number {
  console.error(text)
  return code
}

function check(protocol: Protocol): Row {
  const verdict = judge(protocol, {
    ...(options.preemptions === undefined ? {} : { preemptions: Number(options.preemptions) }),
    ...(options.states === undefined ? {} : { mostStates: Number(options.states) }),
  })
  // Other code than this project's is a mutant itself.
  const withMutants = !options['no-mutants'] && options.code === undefined
  return { ...verdict, trials: withMutants ? mutantsOf(protocol.name).map(tryMutant) : null }
}

/** Everything that makes a run fail, in sentences. */
function complaintsOf({ name, failure, trials }: Row): string[] {
  const complaints: string[] = []
  if (failure !== null) {
    const [sentence = '', ...more] = failure.complaint.split('\n')
    const again = failure.schedule === '' ? [] : [`  npm run model -- ${name} ${failure.schedule}`]
    complaints.push([`${name}: ${sentence}`, ...again, ...more].join('\n'))
  }
  if (trials?.length === 0) complaints.push(`${name}: it has no mutants`)
  for (const { mutant, found, said } of trials ?? [])
    if (!found) complaints.push(`${name}: the mutant ${mutant.name} was not found: ${said}`)
  return complaints
}

function asJson(row: Row): Record<string, string | number> {
  const { name, threads, preemptions, states, schedules, trials, failure } = row
  const found = trials?.filter((trial) => trial.found).length ?? 0
  const failures = failure === null ? 0 : 1
  const mutants = trials?.length ?? 0
  return { name, threads, preemptions, states, schedules, failures, mutants, mutantsFound: found }
}

async function printTable(rows: readonly Row[]): Promise<void> {
  const terminal = await codeIn(dist)('cli/terminal/index.js')
  const { tableLines } = terminal as typeof import('../../src/cli/terminal/index.js')
  const lines = rows.map((row) => ({ ...asJson(row), steps: row.steps, ms: row.ms }))
  const titles = 'name threads preemptions states steps schedules failures mutants mutantsFound ms'
  const columns = titles.split(' ').map((column, place) => ({
    name: column,
    title: column.replace('F', ' f'),
    alignment: place === 0 ? ('left' as const) : ('right' as const),
  }))
  console.log(tableLines(columns, lines).join('\n'))
  for (const { mutant, found, said } of rows.flatMap(({ trials }) => trials ?? []))
    if (found) console.log(`\n${mutant.protocol}/${mutant.name}: ${mutant.breaks}\n  ${said}`)
}

function testMutants(chosen: readonly Protocol[]): number {
  let code = 0
  for (const mutant of chosen.flatMap(({ name }) => mutantsOf(name))) {
    const { found, said } = testMutant(mutant)
    if (found) code = 1
    const how = found ? 'is noticed by the ordinary tests' : 'passes the ordinary tests'
    console.log(`${mutant.protocol}/${mutant.name} ${how}: ${said}`)
  }
  return code
}
