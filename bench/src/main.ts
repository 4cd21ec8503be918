/**
 * `npm run bench -- worker [row]… [--json] [--rounds <n>] [--quick]`
 * `npm run bench -- dispatch [--case <name>]… [--node <version>]… [--rounds <n>]
 * [--json] [--quick]`
 * `npm run bench -- chart`
 * `npm run bench -- blk [--setting <name>]… [--side <name>]… [--rounds <n>] [--folder <path>]
 * [--json] [--quick]`
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { benches } from './benches.js'
import { blk } from './blk/command.js'
import { chart, dispatch } from './dispatch/command.js'
import type { Measure } from './measure.js'
import { lineOf, report, tableOf, type Line } from './report.js'
import { runRounds } from './rounds.js'

const options = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
} as const

/** Odd, so that the median is one of them; enough that one disturbed round does no harm. */
const defaultRounds = 5

/** Those with arguments of their own. */
const commands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  dispatch,
  chart,
  blk,
}

async function main(): Promise<number> {
  const [chosen = '', ...args] = process.argv.slice(2)
  const command = commands[chosen]
  if (command !== undefined) return command(args)
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [bench = '', ...words] = positionals
  const rounds = Number(values.rounds ?? (values.quick ? 1 : defaultRounds))
  if (!Number.isInteger(rounds) || rounds < 1) return refused(`--rounds must be 1 or more`)
  const measures = benches[bench]
  if (measures === undefined) {
    const known = [...Object.keys(benches), ...Object.keys(commands)].join(', ')
    return refused(`there is no bench '${bench}'. There is: ${known}`)
  }
  const isWanted = ({ name }: { name: string }): boolean =>
    words.length === 0 || words.some((word) => name.includes(word))
  const lines: Line[] = []
  for (const measure of measures) {
    const rows = measure.rows.filter(isWanted)
    if (rows.length === 0) continue
    if (process.stderr.isTTY) console.error(`${measure.name} …`)
    const measured = await runRounds(bench, measure, rounds, values.quick)
    lines.push(...rows.map((row) => lineOf(row, measured)))
  }
  if (lines.length === 0)
    return refused(`no row's name contains ${words.join(' or ')}. ${names(measures)}`)
  const result = report(bench, lines)
  console.log(values.json ? JSON.stringify(result) : tableOf(result))
  return 0
}

function names(measures: readonly Measure[]): string {
  return `There is: ${measures.flatMap(({ rows }) => rows.map(({ name }) => name)).join(', ')}`
}

function refused(why: string): number {
  console.error(`npm run bench: ${why}`)
  return 2
}

process.exitCode = await main()
