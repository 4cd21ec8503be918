/**
 * `npm run requirements`: runs the tests that the page of requirements cites, and says in one line
 * how many requirements are shown. Exit code 1, and a line for each reason, when a row or a test is
 * wrong.
 *
 * @module
 */
import { root } from '../root.js'
import { readTree, shown } from '../tidy/tree.js'
import { checkOutcomes, outcomesOf, summaryOf } from './outcomes.js'
import { page, rowsOf } from './page.js'
import { checkRequirements } from './structure.js'

const tree = readTree(root)
const rows = rowsOf(tree.get(page) ?? '')
const cited = new Set(rows.flatMap(({ tests }) => tests.map(({ file }) => file)))
const there = [...cited].filter((file) => tree.has(file)).sort()
const outcomes = await outcomesOf(root, there)
const wrong = [...checkRequirements(tree), ...checkOutcomes(rows, outcomes)]
for (const violation of wrong) console.error(shown(violation))
console.log(summaryOf(rows, wrong))
process.exitCode = wrong.length === 0 ? 0 : 1
