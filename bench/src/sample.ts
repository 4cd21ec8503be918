/**
 * What runs in a process of its own: one side of one measure, whose samples it prints.
 *
 * `node sample.js <bench> <measure> <side> <count>`
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { benches } from './benches.js'

const [, , bench = '', name, side = '', count] = process.argv
const chosen = benches[bench]?.find((measure) => measure.name === name)?.sides[side]
if (chosen === undefined) throw new Error(`there is no side '${side}' of '${name}' in '${bench}'`)
const samples = await chosen.sample(Number(count))
writeSync(1, JSON.stringify(samples))
process.exit(0)
