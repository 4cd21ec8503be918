// `npm run matrix`: the main job and all tests on every Node we support.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, status, wasInterrupted } from './bootstrap.mjs'
import { binOf, isVersion } from './node-versions.mjs'

const versions = ['20', '22', '24', '26']

export async function matrix(args) {
  const chosen = args.length === 0 ? versions : args
  const wrong = chosen.find((version) => !isVersion(version))
  if (wrong !== undefined) {
    console.error(`npm run matrix: '${wrong}' is not a version of Node, such as 24 or 24.21.0`)
    return 2
  }
  // What cannot be fetched is told now, and not after the tests of those before it.
  for (const version of chosen) binOf(version)
  const all = []
  for (const version of chosen) {
    all.push(results(version))
    if (await wasInterrupted()) return 130
  }
  for (const { asked, failed, skipped } of all) {
    list(`skipped on Node ${asked}`, skipped)
    list(`failed on Node ${asked}`, failed)
  }
  console.table(
    all.map(({ failed, skipped, ...row }) => ({
      ...row,
      failed: failed.length,
      skipped: skipped.length,
    })),
  )
  return all.every(isGreen) ? 0 : 1
}

/** Whether all went well, and on the Node that was asked for. */
const isGreen = ({ asked, node, start, test }) =>
  start === 'ok' && test === 'ok' && `${node}.`.startsWith(`${asked}.`)

/** What came of one version. */
function results(version) {
  const path = `${binOf(version)}${delimiter}${process.env.PATH}`
  const tallies = join(root, '.cache/matrix', version)
  rmSync(tallies, { recursive: true, force: true })
  mkdirSync(tallies, { recursive: true })
  const began = Date.now()
  const [start, test] = ['start', 'test'].map((script) => {
    console.log(`\n== Node ${version}: npm ${script}`)
    const env = { PATH: path, USERWORKER_TALLY: tallies }
    return verdict(status('npm', [script, '--silent'], env))
  })
  const minutes = Number(((Date.now() - began) / 60_000).toFixed(1))
  return { asked: version, start, test, minutes, ...sum(tallies) }
}

/** There is no tally of tests that did not come to their end. */
function sum(tallies) {
  const found = readdirSync(tallies)
    .map((file) => readFileSync(join(tallies, file), 'utf8'))
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text))
  return {
    node: [...new Set(found.map(({ node }) => node))].join(' and '),
    tests: found.reduce((count, { tests }) => count + tests, 0),
    passed: found.reduce((count, { passed }) => count + passed, 0),
    failed: found.flatMap(({ failed }) => failed),
    skipped: found.flatMap(({ skipped }) => skipped),
  }
}

function list(title, lines) {
  if (lines.length > 0)
    console.log([`\n== ${title}`, ...lines.map((line) => `  ${line}`)].join('\n'))
}

const verdict = (code) => (code === 0 ? 'ok' : `failed (exit code ${code})`)
