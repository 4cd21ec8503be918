import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  freshFolder,
  nobody,
  noise,
  plant,
  runDemo,
  startDemo,
  type Ended,
} from './demo.fixture.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

function assertRefused({ code, stdout, stderr, left }: Ended, why: RegExp): void {
  assert.deepEqual({ code, stdout, left }, { code: 2, stdout: '', left: [] }, stderr)
  assert.match(stderr, /^userworker: .*\n$/)
  assert.match(stderr, why)
}

describe('userworker demo ends with exit code 2 and one line', () => {
  test('if the folder is not there', async (t) => {
    const missing = join(freshFolder(t), 'missing')
    assertRefused(await runDemo(t, [missing]), /missing: ENOENT: no such file or directory$/m)
    const cwd = freshFolder(t)
    assertRefused(await runDemo(t, [], { cwd }), /node_modules: ENOENT.*userworker demo DIR$/m)
  })

  test('if the folder is none, or may not be read', async (t) => {
    const tree = plant(t, { file: 'x', 'closed/file': 'y' })
    assertRefused(await runDemo(t, [join(tree, 'file')]), /file: ENOTDIR: not a directory$/m)
    chmodSync(join(tree, 'closed'), 0)
    const refused = await runDemo(t, [join(tree, 'closed')], nobody)
    chmodSync(join(tree, 'closed'), 0o700) // so that it can be removed
    assertRefused(refused, /closed: EACCES: permission denied$/m)
  })

  test('if the folder has no file', async (t) => {
    const { code, stderr, left } = await runDemo(t, [freshFolder(t)])
    assert.deepEqual({ code, left }, { code: 2, left: [] })
    assert.match(stderr, /^userworker: there is no file to press in .*\n$/)
  })

  test('if --out is there and not empty, is no folder, or may not be written', async (t) => {
    const tree = plant(t, { file: 'x' })
    const out = plant(t, { 'full/file': 'y' })
    const refused = (name: string): Promise<Ended> =>
      runDemo(t, [tree, '--out', join(out, name)], nobody)
    assertRefused(await refused('full'), /--out .*full: it is there and not empty$/m)
    assertRefused(await refused('full/file'), /ENOTDIR: not a directory$/m)
    assertRefused(await refused('full/file/below'), /ENOTDIR: not a directory$/m)
    mkdirSync(join(out, 'closed'), 0o555)
    assertRefused(await refused('closed/new'), /EACCES: permission denied$/m)
    symlinkSync('nowhere', join(out, 'link'))
    assertRefused(await refused('link'), /ENOENT: no such file or directory$/m)
  })

  test('if --out lies inside the folder, also by way of a link', async (t) => {
    const tree = plant(t, { 'folder/file': 'x' })
    const elsewhere = freshFolder(t)
    symlinkSync(join(tree, 'folder'), join(elsewhere, 'link'))
    mkdirSync(join(tree, 'empty'))
    const inside = /it lies inside the folder that is to be pressed$/m
    for (const out of [join(tree, 'out'), join(tree, 'empty'), join(elsewhere, 'link', 'out')])
      assertRefused(await runDemo(t, [tree, '--out', out]), inside)
    assert.deepEqual(readdirSync(tree).sort(), ['empty', 'folder'])
    const beside = await runDemo(t, [join(tree, 'folder'), '--out', join(tree, 'folder 2')])
    assert.equal(beside.code, 0, beside.stderr)
  })

  test('if --workers is no number, or out of range', async (t) => {
    const tree = plant(t, { file: 'x' })
    for (const workers of ['0', '-1', '1025', '1.5', 'two', '', '1e1'])
      assertRefused(
        await runDemo(t, [tree, `--workers=${workers}`]),
        /It must be a whole number from 1 to 1024\.$/m,
      )
  })
})

const ownDisk = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'
const mayMount =
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /mnt'], { timeout: 10_000 })
    .status === 0

describe('userworker demo on a disk that is full', () => {
  const skip = mayMount ? false : 'needs the right to mount'
  test('says so in one line, leaves nothing, and ends with 1', { skip }, async (t) => {
    const tree = plant(t, { file: noise(3_000_000) })
    const disk = freshFolder(t)
    const through = ['unshare', '-m', 'sh', '-c', ownDisk, 'sh', disk]
    const demo = startDemo(t, [tree, '--out', join(disk, 'out')], { through })
    const { code, stderr, left } = await demo.ended
    assert.match(stderr, /^userworker: ENOSPC: no space left on device.*; no output is left\n$/)
    assert.deepEqual({ code, left }, { code: 1, left: [] })
  })
})
