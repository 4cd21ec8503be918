/**
 * What runs in a process of its own: a measure with one side, whose figures it prints.
 *
 * `node sample.js <measure> <side> <workers> <quick|full>`
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import { fullSpans, quickSpans, type Figures } from './measure.js'
import { measures } from './measures.js'
import { spin } from './measures/latency.js'
import { sides } from './sides.js'

const [, , name, sideName, workers, pace] = process.argv

async function sample(): Promise<Figures> {
  const measure = measures.find((each) => each.name === name)
  const side = sides.find((each) => each.name === sideName)
  if (measure === undefined || side === undefined)
    throw new Error(`there is no measure '${name}' or no side '${sideName}'`)
  const spans = pace === 'quick' ? quickSpans : fullSpans
  if (side.open === null) return spin({ ...spans, warmUpMs: fullSpans.warmUpMs })
  return measure.sample({ open: side.open, workers: Number(workers), spans })
}

try {
  const figures = await sample()
  writeSync(1, JSON.stringify(figures))
  process.exit(0)
} catch (error) {
  // One line, which becomes a note beside the case.
  const said = error instanceof Error ? error.message : inspect(error)
  console.error(said.split('\n')[0])
  process.exit(1)
}
