/**
 * The settings that people work in. Each has a folder in `fits/` with the same small program as its
 * user would write it; here it runs, with the package as it would be installed.
 *
 * `npm test` installs the tools and says by the environment where they are (`scripts/fits.mjs`).
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, describe, test } from 'node:test'
import { complaintOf, plant, runProgram, type End, type Scope } from './consumer.js'
import { root } from './root.js'

/** What the program prints: a work's result, an error, a key's order, an abort, and a clean close. */
const line = 'sum 5, RangeError E_ROOM a.txt, places 1 2, ABORT_ERR, 0 stuck'

const settings = [
  'plain',
  'compiled',
  'stripped',
  'tsx',
  'commonjs',
  'bundled',
  'vitest',
  'jest',
] as const

const home = process.env['USERWORKER_FITS'] ?? ''
const own = process.execPath
const newer = process.env['USERWORKER_FITS_NODE'] ?? own
const both = [...new Set([own, newer])]
const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript)

const named = (node: string): string =>
  node === own ? `Node ${process.versions.node.split('.')[0]}` : 'Node 24'
const tool = (path: string): string => join(home, 'node_modules', path)
const run = (node: string, setting: string, ...args: string[]): Promise<End> =>
  runProgram(node, join(home, setting), args)

/** Runs the program: it prints its one line, and ends by itself with exit code 0. */
async function fits(...command: Parameters<typeof run>): Promise<void> {
  const end = await run(...command)
  assert.equal(complaintOf(end), '')
  assert.deepEqual([end.stdout, end.stderr], [`${line}\n`, ''])
}

/** Runs a test runner: it shows that line among what it has to say, and ends with exit code 0. */
async function passes(...command: Parameters<typeof run>): Promise<void> {
  const end = await run(...command)
  assert.equal(complaintOf(end), '')
  assert.ok(`${end.stdout}${end.stderr}`.includes(line), `${end.stdout}${end.stderr}`)
}

/** Puts the package and the programs where the tools are, as an installation would. */
async function install(): Promise<void> {
  assert.notEqual(home, '', 'its tools are installed by: npm test -- fits')
  for (const setting of settings) {
    rmSync(join(home, setting), { recursive: true, force: true })
    cpSync(join(root, 'tests', 'fits', setting), join(home, setting), { recursive: true })
  }
  const args = ['pack', root, '--dry-run', '--json', '--ignore-scripts']
  const packed = await runProgram('npm', home, args)
  assert.equal(complaintOf(packed), '')
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }]
  const target = tool('userworker')
  rmSync(target, { recursive: true, force: true })
  for (const { path } of files) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    cpSync(join(root, path), join(target, path))
  }
}

before(install)

describe('the library fits', () => {
  test('a program in plain JavaScript', () => fits(own, 'plain', 'main.js'))

  test('a program in TypeScript, typed from its handlers and compiled by tsc', async () => {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    assert.equal(complaintOf(await run(own, 'compiled', tsc, '-p', '.')), '')
    await fits(own, 'compiled', 'dist/main.js')
  })

  for (const node of both.filter((each) => each !== own || stripsTypes)) {
    test(`a program in TypeScript whose types ${named(node)} strips`, () =>
      fits(node, 'stripped', 'main.ts'))
  }

  for (const node of both) {
    for (const command of [[tool('tsx/dist/cli.mjs')], ['--import', 'tsx']]) {
      const how = command.length === 1 ? 'tsx' : 'node --import tsx'
      test(`a program in TypeScript under ${how} on ${named(node)}, its handlers too`, () =>
        fits(node, 'tsx', ...command, 'main.ts'))
    }
  }

  test('a program in CommonJS that requires it, without a warning, and handlers in CommonJS', () =>
    fits(own, 'commonjs', 'main.js'))

  for (const node of both) {
    test(`a test of vitest on ${named(node)}, with handlers in TypeScript, in each kind of pool`, async () => {
      for (const pool of ['forks', 'threads', 'vmThreads'])
        await passes(node, 'vitest', tool('vitest/vitest.mjs'), 'run', '--pool', pool)
    })

    test(`tests of jest on ${named(node)} under --experimental-vm-modules, as ES modules and as CommonJS`, () =>
      passes(node, 'jest', '--experimental-vm-modules', tool('jest/bin/jest.js')))
  }
})

describe('in a bundle of esbuild, the library fits', () => {
  /** Bundles a program with what its threads need, to where there is nothing else; gives its place. */
  const bundle = async (scope: Scope, main: string, ...options: string[]): Promise<string> => {
    const type = options.includes('--format=cjs') ? 'commonjs' : 'module'
    const out = plant(scope, { 'package.json': JSON.stringify({ type }) })
    const inputs = [`main=${main}`, 'handlers.js', 'watcher.js', 'entry=userworker/entry']
    const common = ['--bundle', '--platform=node', '--log-level=warning', `--outdir=${out}`]
    const command = [tool('esbuild/bin/esbuild'), ...inputs, ...common, ...options]
    assert.equal(complaintOf(await run(own, 'bundled', ...command)), '')
    return join(out, 'main.js')
  }

  for (const options of [[], ['--minify'], ['--splitting']]) {
    const how = ['--format=esm', ...options]
    test(`a program of ES modules whose threads begin in a bundle too: ${how.join(' ')}`, async (t) =>
      fits(own, 'bundled', await bundle(t, 'main.js', ...how)))
  }

  test('a program in CommonJS whose threads begin in a bundle too: --format=cjs', async (t) =>
    fits(own, 'bundled', await bundle(t, 'commonjs.cjs', '--format=cjs')))

  for (const format of ['esm', 'cjs']) {
    test(`and without the option entry it says at once what to do: --format=${format}`, async (t) => {
      const main = await bundle(t, 'without-entry.js', `--format=${format}`)
      const { stdout } = await run(own, 'bundled', main)
      const sentence =
        /^ERR_MODULE_LOAD WorkQueue: this copy of userworker is in a bundle, .* 'userworker\/entry', .* 'entry'\n$/
      assert.match(stdout, sentence)
    })
  }
})
