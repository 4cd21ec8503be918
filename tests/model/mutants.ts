/**
 * Mutants: patches that break the code of a protocol. A checker that does not object to them checks nothing.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../root.js'

const folder = join(root, 'tests', 'model', 'mutants')
const scratch = join(root, '.cache', 'model')
const main = fileURLToPath(new URL('./main.js', import.meta.url))

/** A search of a broken protocol ends at the first failure; one that takes longer than this is stuck. */
const searchTimeoutMs = 300_000
/** The ordinary tests take two minutes, and much longer on a busy machine. */
const testsTimeoutMs = 900_000

/** The exit code of a run that neither finished its search nor found a broken promise. */
export const inconclusive = 3

/** A patch of the sources. */
export interface Mutant {
  readonly protocol: string
  readonly name: string
  readonly file: string
  /** What it breaks: the first line of the patch. */
  readonly breaks: string
}

/** The mutants of a protocol. */
export function mutantsOf(protocol: string): Mutant[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${protocol}.`) && name.endsWith('.patch'))
    .sort()
    .map((name) => {
      const file = join(folder, name)
      const [breaks = ''] = readFileSync(file, 'utf8').split('\n')
      return { protocol, name: name.slice(protocol.length + 1, -'.patch'.length), file, breaks }
    })
}

/** What a run of a mutant gave. */
export interface Trial {
  readonly mutant: Mutant
  /** The checker, or the tests, found a fault. */
  readonly found: boolean
  /** The complaint, or why there is none. */
  readonly said: string
}

/** Runs a protocol on a mutant. */
export function tryMutant(mutant: Mutant): Trial {
  const built = build(mutant)
  if (built.error !== null) return { mutant, found: false, said: built.error }
  const args = [
    '--conditions=userworker-model',
    main,
    mutant.protocol,
    '--json',
    '--code',
    built.dist,
  ]
  const { status, stderr } = run(process.execPath, args, root, searchTimeoutMs)
  rmSync(built.copy, { recursive: true, force: true })
  if (status === null) return { mutant, found: false, said: 'the search did not end' }
  if (status === 0) return { mutant, found: false, said: 'no promise is broken' }
  return { mutant, found: status === 1, said: stderr.trim().split('\n')[0] ?? '' }
}

/** Runs the ordinary tests of the code that a mutant changes; `found` says that they notice. */
export function testMutant(mutant: Mutant): Trial {
  const built = build(mutant)
  if (built.error !== null) return { mutant, found: true, said: built.error }
  const folders = new Set(changedFiles(mutant).map(dirname))
  const tests = [...folders].flatMap((changed) => {
    const compiled = join(built.dist, changed.replace(/^src\/?/, ''))
    return readdirSync(compiled)
      .filter((file) => file.endsWith('.test.js'))
      .map((file) => join(compiled, file))
  })
  const args = ['--test', '--test-concurrency=1', '--test-timeout=180000', ...tests]
  const { status, stdout } = run(process.execPath, args, built.copy, testsTimeoutMs)
  rmSync(built.copy, { recursive: true, force: true })
  const failed = stdout.split('\n').find((line) => /^\s+not ok/.test(line))
  return { mutant, found: status !== 0, said: status === 0 ? 'all pass' : (failed ?? 'they fail') }
}

type Built =
  | { readonly error: string }
  | { readonly error: null; readonly copy: string; readonly dist: string }

/** Builds the project's sources with a mutant's patch, in a copy. */
function build(mutant: Mutant): Built {
  const copy = join(scratch, `${mutant.protocol}-${mutant.name}-${process.pid}`)
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  for (const part of ['src', 'package.json', 'tsconfig.base.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true })
  // The double of memory must be the one that the checker itself uses.
  symlinkSync(join(root, 'build'), join(copy, 'build'), 'junction')
  const error = patchedAndCompiled(mutant, copy)
  if (error !== null) rmSync(copy, { recursive: true, force: true })
  return error === null ? { error, copy, dist: join(copy, 'dist') } : { error }
}

/** Patches a copy of the sources and compiles it; says what is wrong with that. */
function patchedAndCompiled({ file }: Mutant, copy: string): string | null {
  const patched = run('git', ['apply', file], copy)
  if (patched.status !== 0) return `the patch does not apply: ${patched.stderr.trim()}`
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const compiled = run(process.execPath, [compiler, '-p', 'src'], copy, searchTimeoutMs)
  return compiled.status === 0 ? null : `it does not compile: ${compiled.stdout.trim()}`
}

function changedFiles(mutant: Mutant): string[] {
  const patch = readFileSync(mutant.file, 'utf8')
  return [...patch.matchAll(/^\+\+\+ b\/(\S+)/gm)].map(([, path = '']) => path)
}

/** Runs a program to its end. It sees no repository around its folder: `git apply` would go by that one's paths. */
function run(
  program: string,
  args: readonly string[],
  cwd: string,
  timeout = 60_000,
): { status: number | null; stdout: string; stderr: string } {
  const ours = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|GIT_DIR|GIT_WORK_TREE|GIT_INDEX_FILE)$/
  const env = Object.entries(process.env).filter(([name]) => !ours.test(name))
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    timeout,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    env: { ...Object.fromEntries(env), GIT_CEILING_DIRECTORIES: scratch },
  })
  return { status, stdout, stderr: stderr || (error?.message ?? '') }
}
