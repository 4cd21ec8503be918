import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { run } from '../command-line.fixture.js'
import { freshFolder, nobody, noise, plant, runDemo, utf8 } from './demo.fixture.js'
import { chunkBytes } from './pressing.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the tools of Linux' }

/** Everything that has made trouble to somebody. */
function oddTree(t: TestContext): string {
  return plant(t, {
    empty: '',
    'with space': 'a',
    [`quotes ' " \``]: 'b',
    [utf8('Grüße 漢字 🐧')]: 'c',
    'new\nline': 'd',
    'back\\slash': 'e',
    'carriage\rreturn': 'f',
    'no utf-8 \xff': 'g',
    '-rf': 'h',
    SHA256SUMS: 'i',
    a: 'j',
    'a.gz': 'k',
    'b/deep/er/file': 'l',
    'c.gz/file': 'm',
    c: 'n',
    'd/SHA256SUMS/file': 'o',
    'd/file': 'p',
    big: Buffer.concat([noise(chunkBytes), Buffer.from('and more')]),
    'exactly one chunk': Buffer.alloc(chunkBytes, 'x'),
  })
}

const files = 19

describe('userworker demo', linuxOnly, () => {
  test('presses whatever names and sizes files have, and finds no mismatch', async (t) => {
    const { code, stderr, lastLine, left } = await runDemo(t, [oddTree(t), '--workers', '3'])
    assert.match(lastLine, /^demo: ok files=19 mismatches=0 workers=3 speedup=\d+\.\d\d$/)
    assert.deepEqual({ code, stderr, left }, { code: 0, stderr: '', left: [] })
  })

  test('takes node_modules of the current folder if none is named', async (t) => {
    const cwd = plant(t, { 'node_modules/x': 'x', other: 'y' })
    const { code, lastLine } = await runDemo(t, [], { cwd })
    assert.match(lastLine, /^demo: ok files=1 mismatches=0 workers=\d+ speedup=\d+\.\d\d$/)
    assert.equal(code, 0)
  })

  test('keeps with --out what gzip and sha256sum find right', async (t) => {
    const tree = oddTree(t)
    const out = join(freshFolder(t), 'new', 'out')
    const { code, stdout, left } = await runDemo(t, [tree, '--out', out])
    assert.deepEqual({ code, left }, { code: 0, left: [] })
    assert.ok(stdout.includes(out), 'it does not say where the output is')
    assert.deepEqual(readdirSync(out), ['files', 'sums'])

    const [pressed, sums] = [join(out, 'files'), join(out, 'sums')]
    const inShell = (script: string, cwd: string): string =>
      execFileSync('sh', ['-euc', script], { cwd, encoding: 'utf8', timeout: 60_000 })
    const count = inShell(`find . -type f -exec gzip -t {} + ; find . -type f -print0`, pressed)
    assert.equal(count.split('\0').length - 1, files)
    const manifests = inShell(`find . -type f`, sums).trim().split('\n')
    assert.ok(manifests.every((path) => path.endsWith('/SHA256SUMS')))
    // In order of names: unpacked in place, `a.gz` makes room for `a.gz.gz`.
    inShell(`find . -type f -name '*.gz' -print0 | LC_ALL=C sort -z | xargs -0 gunzip --`, pressed)
    for (const manifest of manifests) {
      const folder = join(pressed, manifest, '..')
      const check = run('sha256sum', ['--strict', '-c', join(sums, manifest)], { cwd: folder })
      assert.equal(check.code, 0, check.stdout + check.stderr)
    }
    assert.equal(inShell(`cat $(find . -type f -name SHA256SUMS) | wc -l`, sums).trim(), `${files}`)
    assert.deepEqual(readFileSync(join(pressed, 'big')), readFileSync(join(tree, 'big')))
  })

  test('skips links, pipes and sockets, and does not look behind them', async (t) => {
    const tree = plant(t, { file: 'x', 'folder/file': 'y' })
    symlinkSync('file', join(tree, 'link'))
    symlinkSync('..', join(tree, 'folder', 'up'))
    symlinkSync('nowhere', join(tree, 'dangling'))
    execFileSync('mkfifo', [join(tree, 'pipe')])
    const { code, stdout } = await runDemo(t, [tree])
    assert.match(stdout, /^files: 2, .*; folders: 2; .*skipped: 4$/m)
    assert.match(stdout, /^demo: ok files=2 /m)
    assert.equal(code, 0)
  })

  test('names what cannot be read, leaves it out, and goes on', async (t) => {
    const tree = plant(t, { good: 'x', 'closed/file': 'y' })
    for (let index = 0; index < 24; index++) {
      writeFileSync(join(tree, `secret ${index}`), 'z')
      chmodSync(join(tree, `secret ${index}`), 0)
    }
    chmodSync(join(tree, 'closed'), 0)
    const { code, stdout, lastLine } = await runDemo(t, [tree], nobody)
    chmodSync(join(tree, 'closed'), 0o700) // so that it can be removed
    assert.match(stdout, /^cannot be read, left out: 25$/m)
    assert.match(stdout, /^ {2}closed\/ \(EACCES: permission denied\)$/m)
    assert.equal(stdout.match(/^ {2}secret \d+ \(EACCES: permission denied\)$/gm)?.length, 19)
    assert.match(stdout, /^ {2}and 5 more$/m)
    assert.match(lastLine, /^demo: ok files=1 mismatches=0 /)
    assert.equal(code, 0)
  })

  test('names a file that has no room for a suffix behind its name', async (t) => {
    const { code, stdout } = await runDemo(t, [
      plant(t, { ['x'.repeat(253)]: '', ['x'.repeat(252)]: '' }),
    ])
    assert.match(stdout, /^ {2}x{253} \(its name leaves no room for \.gz\)$/m)
    assert.match(stdout, /^demo: ok files=1 /m)
    assert.equal(code, 0)
  })

  test('prints no control characters into a pipe, whatever files are called', async (t) => {
    const tree = plant(t, { 'x\x1b[31m': '', [utf8('\u202e')]: '', 'not\nreadable': '' })
    chmodSync(join(tree, 'not\nreadable'), 0)
    mkdirSync(join(tree, 'closed\x07'), 0)
    const { stdout, stderr } = await runDemo(t, [tree], nobody)
    assert.match(stdout, /^ {2}not\?readable \(EACCES/m)
    assert.match(stdout, /^ {2}closed\?\/ \(EACCES/m)
    assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]/u)
  })
})
