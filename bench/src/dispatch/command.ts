/**
 * `npm run bench -- dispatch`: our queue beside other pools; `npm run bench -- chart`: its charts.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments, type Arguments } from './arguments.js'
import { svgOf } from './chart.js'
import { rowOf, type Row } from './figures.js'
import { loadPackage } from './packages.js'
import { tableOf } from './report.js'
import { addResults, readResults, resultsFolder, type Results } from './results.js'
import { runRounds, type Outcome } from './rounds.js'

/** Measures, prints, writes results and charts. */
export async function dispatch(args: readonly string[]): Promise<number> {
  let chosen: Arguments
  try {
    chosen = readArguments(args, process.execPath)
    // Now, and not when all is measured and only the chart is to be drawn.
    await loadPackage('vega')
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error))
  }
  const folder = chosen.results ?? resultsFolder
  const all: Row[] = []
  for (const node of chosen.nodes) {
    const rows = await measured(chosen, node, folder)
    if (!chosen.json) console.log(tableOf(rows))
    all.push(...rows)
  }
  if (chosen.json) console.log(JSON.stringify({ rows: all }))
  await drawAll(folder)
  return 0
}

/** Draws the charts of the results that there are. */
export async function chart([folder = resultsFolder]: readonly string[]): Promise<number> {
  if (readResults(folder).length === 0) return refused('there are no results: run dispatch first')
  await drawAll(folder)
  return 0
}

/** Measures on one Node, and writes the results after each round. */
async function measured(chosen: Arguments, node: string, folder: string): Promise<Row[]> {
  const { measures, rounds, quick } = chosen
  const version = versionOf(node)
  const progress = (text: string): void => {
    if (process.stderr.isTTY) console.error(`Node ${version}, ${text}`)
  }
  let rows: Row[] = []
  const roundEnded = (outcomes: readonly Outcome[]): void => {
    rows = outcomes.flatMap((outcome) => rowsOf(outcome, chosen, version))
    addResults(folder, rows)
  }
  await runRounds({ measures, rounds, quick, node, progress, roundEnded })
  return rows
}

/** The rows of the chosen cases. */
function rowsOf(outcome: Outcome, { cases, quick }: Arguments, node: string): Row[] {
  const { measure, notes } = outcome
  return measure.cases
    .filter(({ name }) => cases.includes(name))
    .map((each) => rowOf(each, measure, outcome.recorded(each), { node, quick, notes }))
}

/** Such as `20.19.0`. */
function versionOf(node: string): string {
  if (node === process.execPath) return process.versions.node
  const args = ['-p', 'process.versions.node']
  return execFileSync(node, args, { encoding: 'utf8' }).trim()
}

/** One chart for each version of Node; and, under a name that stays, that of the oldest. */
async function drawAll(folder: string): Promise<void> {
  const [first, ...more] = readResults(folder)
  if (first === undefined) return
  await draw(folder, 'dispatch', first)
  for (const results of [first, ...more]) await draw(folder, results.name, results)
}

async function draw(folder: string, name: string, { rows }: Results): Promise<void> {
  writeFileSync(join(folder, `${name}.svg`), await svgOf(rows))
}

function refused(why: string): number {
  console.error(`npm run bench: ${why}`)
  return 2
}
