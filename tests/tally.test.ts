import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from './root.js'

const suite = `
  import { before, describe, test } from 'node:test'
  describe('group', () => { test('inside', () => {}); test('fails', () => { throw new Error('first\\nsecond') }) })
  describe('left out', { skip: 'not here' }, () => { test('never', () => {}) })
  describe('hooked', () => { before(() => { throw new Error('in a hook') }); test('too late', () => {}) })
  test('throws a text', () => { throw 'a text' })
  test('skipped', { skip: true }, () => {})
  test('skips itself', (t) => t.skip('for a reason'))
  test('to do', { todo: 'later' }, () => { throw new Error('not yet') })
  test('with a part', async (t) => { await t.test('part', () => {}) })`

describe('the tally of npm run matrix', () => {
  test('names the Node, counts tests, and says which failed and which were skipped, and why', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'uw-tally-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const files = { 'made.test.mjs': suite, 'dies.test.mjs': 'process.exit(3)' }
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
    // Inside a test the runner would not run another.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const paths = Object.keys(files).map((file) => join(folder, file))
    const options = ['--test', '--test-concurrency=1', '--test-reporter=./scripts/tally.mjs']
    const { status, stdout } = spawnSync(process.execPath, [...options, ...paths], {
      cwd: root,
      encoding: 'utf8',
      env,
    })
    assert.equal(status, 1)
    const { node, tests, passed, failed, skipped } = JSON.parse(stdout) as {
      node: string
      tests: number
      passed: number
      failed: string[]
      skipped: string[]
    }
    assert.equal(node, process.versions.node)
    assert.deepEqual([tests, passed], [10, 3])
    assert.deepEqual(skipped, [
      'left out: not here',
      'skipped: no reason',
      'skips itself: for a reason',
    ])
    const own = failed.filter((line) => !line.startsWith('too late') && !line.includes('dies.test'))
    assert.deepEqual(own, ['fails: first', 'hooked: in a hook', 'throws a text: a text'])
    assert.equal(failed.length, own.length + 2)
  })
})
