import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mainFile, run, userworker } from './command-line.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const packageFile = fileURLToPath(new URL('../../package.json', import.meta.url))

describe('userworker', () => {
  test('tells the version of the package', () => {
    const { version }: { version: string } = JSON.parse(readFileSync(packageFile, 'utf8'))
    assert.deepEqual(userworker(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('lists its commands when asked for help', () => {
    const { code, stdout, stderr } = userworker(['--help'])
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /^ {2}ps /m)
    assert.equal(userworker(['ps', '--help']).code, 0)
  })

  test('ends with exit code 2 and says what is wrong when it is called wrongly', () => {
    for (const args of [['nosuch'], ['--nosuch'], ['ps', '--nosuch'], ['ps', '1', '2']]) {
      const { code, stdout, stderr } = userworker(args)
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '))
      assert.match(stderr, /^userworker: .*\n$/)
    }
    const { code, stdout, stderr } = userworker([])
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
    assert.match(stderr, /^Usage: userworker /)
  })

  test('names the packages that are missing, and how to get them', (t) => {
    const home = mkdtempSync(join(tmpdir(), 'userworker-cli-'))
    t.after(() => rmSync(home, { recursive: true }))
    cpSync(join(dirname(mainFile), '..'), join(home, 'dist'), { recursive: true })
    cpSync(packageFile, join(home, 'package.json'))
    const missing = {
      code: 2,
      stdout: '',
      stderr:
        'userworker: the command line needs the packages commander, cli-progress, ' +
        'console-table-printer: npm install commander cli-progress console-table-printer\n',
    }
    const call = [join(home, 'dist/cli/main.js'), '--version']
    assert.deepEqual(run(process.execPath, call), missing)
    // With one of them there, the next is missed.
    const installed = join(dirname(packageFile), 'node_modules/commander')
    mkdirSync(join(home, 'node_modules'))
    cpSync(installed, join(home, 'node_modules/commander'), { recursive: true })
    assert.deepEqual(run(process.execPath, call), missing)
  })

  for (const stream of ['stdout', 'stderr'] as const) {
    test(`ends quietly when nobody reads its ${stream}`, async () => {
      const args = stream === 'stdout' ? ['--help'] : ['nosuch']
      const child = spawn(process.execPath, [mainFile, ...args])
      child[stream].destroy()
      const other = child[stream === 'stdout' ? 'stderr' : 'stdout']
      let printed = ''
      other.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      const [code] = await once(child, 'close')
      assert.deepEqual({ code, printed }, { code: stream === 'stdout' ? 0 : 2, printed: '' })
    })
  }
})
