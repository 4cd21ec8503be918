// What `npm start`, `npm test` and the other scripts do once everything is installed and built.
// Each takes the arguments behind `--` and returns an exit code.
import { bench } from './bench.mjs'
import { status } from './bootstrap.mjs'
import { coverage } from './coverage.mjs'
import { matrix } from './matrix.mjs'
import { qemu } from './qemu.mjs'
import { settle } from './settle.mjs'
import { test } from './test.mjs'

const node = (...args) => status(process.execPath, args)
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
  coverage: (words) => coverage(words, test),
  soak: (args) => node('--enable-source-maps', 'build/tests/soak/main.js', ...args),
  model: (args) => node('--conditions=userworker-model', 'build/tests/model/main.js', ...args),
  sim: (args) => node('build/tests/sim/main.js', ...args),
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
