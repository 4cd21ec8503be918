// `npm test`: all tests, or those whose file name contains one of the words given.
import { availableParallelism } from 'node:os'
import { filesBelow, outputs, status } from './bootstrap.mjs'
import { bringFitsUpToDate } from './fits.mjs'

// These measure how quick something is, so nothing runs beside them. All others only know deadlines
// that a busy machine meets too.
const alone = new Set([
  'bench/build/bench.test.js',
  'dist/os/clock.test.js',
  'dist/os/proc.test.js',
  'dist/worker/problems.test.js',
  'dist/worker/stop-time.test.js',
  'dist/wq/close.test.js',
])
const isAlone = (file) => alone.has(file)
const isOfFits = (file) => file.endsWith('/tests/fits.test.js')

export function test(words) {
  const files = outputs
    .flatMap(filesBelow)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  if (files.length === 0) {
    console.error(`npm test: no test file's name contains ${words.join(' or ')}`)
    return 2
  }
  const env = files.some(isOfFits) ? bringFitsUpToDate() : {}
  const beside = files.filter((file) => !isAlone(file))
  const codes = [
    run('beside', beside, Math.min(4, availableParallelism()), env),
    run('alone', files.filter(isAlone), 1, env),
  ]
  return codes.find((code) => code !== 0) ?? 0
}

function run(name, files, atOnce, env) {
  if (files.length === 0) return 0
  const options = [
    '--test',
    `--test-concurrency=${atOnce}`,
    // For a file as a whole: a hang is ended by it, and a machine that is busy with other things is not.
    '--test-timeout=600000',
    ...reporters(name),
  ]
  return status(process.execPath, [...options, ...files], env)
}

/** A tally besides what is shown, where a folder for it is named. */
function reporters(name) {
  const folder = process.env.USERWORKER_TALLY
  const all = [['./scripts/reporter.mjs', 'stdout']]
  if (folder !== undefined) all.push(['./scripts/tally.mjs', `${folder}/${name}.json`])
  return all.flatMap(([reporter, file]) => [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${file}`,
  ])
}
