// Installs when the lock file changed, builds when a source changed, and does nothing else.
// A stamp is a hash of what went in. It is removed before the work and written after it,
// so that work cut short is done again.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const sources = [
  'src',
  'tests',
  'examples',
  'bench/src',
  'bench/tsconfig.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'scripts/pack.mjs',
]

/** Where everything that is built goes. */
export const outputs = ['dist', 'build', 'bench/build']

const built = 'build/.userworker-built'

export function bringUpToDate() {
  const locked = hash(['package.json', 'package-lock.json'])
  once('node_modules/.userworker-installed', locked, () => {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  })
  once(built, hash(sources) + locked, () => {
    // A clean build takes about a second, and leaves no output behind of a source that is gone.
    for (const out of outputs) rmSync(join(root, out), { recursive: true, force: true })
    run(process.execPath, ['node_modules/typescript/bin/tsc', '--build'])
    run(process.execPath, ['scripts/pack.mjs'])
  })
}

/** The next command builds anew: what is built now is for the one that runs. */
export function forgetBuild() {
  rmSync(join(root, built), { force: true })
}

/** The bench has packages of its own, such as other pools, installed when it is first run. */
export function bringBenchUpToDate() {
  const locked = hash(['bench/package.json', 'bench/package-lock.json'])
  once('bench/node_modules/.userworker-installed', locked, () => {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    run('npm', ['ci', '--prefix', 'bench', ...quiet])
  })
}

/** Does the work unless the stamp says that it was done for the same input. */
export function once(stampFile, wanted, work) {
  const stamp = join(root, stampFile)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(stamp, { force: true })
  work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

let interrupts = 0
// Ctrl-C goes to the whole group: the program that runs ends in its own way, and we end with its code.
process.on('SIGINT', () => interrupts++)

/** Whether Ctrl-C was pressed, also while a program ran. */
export async function wasInterrupted() {
  await setImmediate()
  return interrupts > 0
}

/**
 * Runs a program to its end; a failure ends this process with its code. What it prints goes to standard error: the
 * output of `npm run model -- --json`, say, is that of the command alone.
 */
export function run(program, args, env = {}) {
  const code = status(program, args, env, ['inherit', process.stderr.fd, 'inherit'])
  if (code !== 0) process.exit(code)
}

/** Runs a program to its end with our standard streams, and gives the exit code back. */
export function status(program, args, env = {}, stdio = 'inherit') {
  const done = spawnSync(program, args, {
    cwd: root,
    stdio,
    env: { ...process.env, ...env },
  })
  if (done.error) console.error(`${program}: ${done.error.message}`)
  return done.status ?? 1
}

/** All files below a folder of the project, as paths relative to its root, sorted. */
export function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
    .sort()
}

/** One hash of files, and of all files below folders. */
export function hash(paths) {
  const all = createHash('sha256')
  for (const path of paths) {
    const isFolder = !path.includes('.')
    for (const file of isFolder ? filesBelow(path) : [path]) {
      all
        .update(`${file}\0`)
        .update(readFileSync(join(root, file)))
        .update('\0')
    }
  }
  return all.digest('hex')
}
