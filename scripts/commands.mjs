// What `npm start`, `npm test` and the other scripts do once everything is installed and built.
// Each takes the arguments behind `--` and returns an exit code.
import { bench } from './bench.mjs'
import { filesBelow, outputs, status } from './bootstrap.mjs'
import { bringFitsUpToDate } from './fits.mjs'
import { matrix } from './matrix.mjs'
import { qemu } from './qemu.mjs'
import { settle } from './settle.mjs'

const node = (...args) => status(process.execPath, args)
const isOfFits = (file) => file.endsWith('/tests/fits.test.js')
const script = (name) => status('npm', ['run', '--silent', name])

export const commands = {
  build: () => 0,
  demo: (args) => node('dist/cli/main.js', 'demo', ...args),
  test,
  requirements: () => node('--enable-source-maps', 'build/tests/requirements/main.js'),
  ok,
  bench,
  settle,
  matrix,
  qemu,
  model: (args) => node('--conditions=userworker-model', 'build/tests/model/main.js', ...args),
  sim: (args) => node('build/tests/sim/main.js', ...args),
}

/** All tests, or those whose file name contains one of the words given. */
function test(words) {
  const files = outputs
    .flatMap(filesBelow)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  if (files.length === 0) {
    console.error(`npm test: no test file's name contains ${words.join(' or ')}`)
    return 2
  }
  const env = files.some(isOfFits) ? bringFitsUpToDate() : {}
  // One file at a time: many tests measure time or load threads, and two of them would disturb each other.
  const options = [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=1',
    // For a file as a whole: a hang is ended by it, and a machine that is busy with other things is not.
    '--test-timeout=900000',
  ]
  return status(process.execPath, [...options, ...files], env)
}

/** Everything that must hold before a change is handed in. */
async function ok(args) {
  const steps = {
    format: () => script('format:check'),
    lint: () => script('lint'),
    unused: () => script('unused'),
    package: () => script('package'),
    tests: () => test([]),
  }
  const chosen = args.length === 0 ? Object.keys(steps) : args
  for (const name of chosen) {
    const step = steps[name]
    if (step === undefined) {
      console.error(`npm run ok: no step '${name}'. There is: ${Object.keys(steps).join(', ')}`)
      return 2
    }
    console.log(`\n== ${name}`)
    const code = await step()
    if (code !== 0) return code
  }
  console.log('\nok')
  return 0
}
