/**
 * Programs of users: folders outside the project in which the package can be imported by its name.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './root.js'

/** A test, or a group of tests, as far as it is needed here: `after` runs at its end. */
export interface Scope {
  after(run: () => void): void
}

/** How a program ended. */
export interface End {
  /** The exit code; null when it was ended by a signal, because it took too long say. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Makes a folder with these files, which is gone when the test ends. */
export function plant(scope: Scope, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-consumer-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return folder
}

/** Makes packages of this project's own node_modules importable in a folder. */
export function lend(folder: string, ...packages: string[]): void {
  for (const name of packages) link(folder, name, join(root, 'node_modules', name))
}

/** Makes this package, as it is built here, importable in a folder by its name. */
export function lendThis(folder: string): void {
  link(folder, 'userworker', root)
}

function link(folder: string, name: string, target: string): void {
  const from = join(folder, 'node_modules', name)
  mkdirSync(dirname(from), { recursive: true })
  symlinkSync(target, from, 'junction')
}

/** The settings of a careful user of TypeScript, who checks declarations too. */
const tsconfig = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
  },
}

/** Compiles the TypeScript files of a folder where they are; gives what the compiler complains of, else nothing. */
export function compile(folder: string, files: readonly string[], more: object = {}): string {
  lend(folder, '@types/node', 'undici-types')
  const { compilerOptions } = tsconfig
  const config = { compilerOptions: { ...compilerOptions, ...more }, files }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', '.'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return status === 0 ? '' : `${stdout}${stderr}` || `tsc ended with exit code ${status}`
}

/** Runs Node in a folder, for at most five minutes. */
export function runNode(folder: string, args: readonly string[]): Promise<End> {
  return runProgram(process.execPath, folder, args)
}

/** Runs a program in a folder, for at most five minutes: on a busy machine what takes seconds may take one. */
export function runProgram(program: string, folder: string, args: readonly string[]): Promise<End> {
  const child = spawn(program, args, {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** The environment without what belongs to this run: the test runner's, the options of Node and its counts, npm's. */
function environment(): NodeJS.ProcessEnv {
  const ours = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|NODE_V8_COVERAGE|npm_.*)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

/** What went wrong, in words; empty for a program that ended well. */
export function complaintOf({ code, stdout, stderr }: End): string {
  if (code === 0) return ''
  const how =
    code === null ? 'was ended by a signal, or after five minutes' : `ended with exit code ${code}`
  return `${how}\n${stdout}${stderr}`
}
