import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { root } from './root.js'

test('what npm test shows of an error names places of the sources, not of what was built', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'uw-reporter-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'made.test.mjs')
  const door = pathToFileURL(join(root, 'dist/index.js')).href
  writeFileSync(
    file,
    `import { test } from 'node:test'
     import { WorkQueue } from '${door}'
     test('throws', () => new WorkQueue(3))`,
  )
  // Inside a test the runner would not run another.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = ['--test', '--test-reporter=./scripts/reporter.mjs', file]
  const { status, stdout } = spawnSync(process.execPath, options, {
    cwd: root,
    encoding: 'utf8',
    env,
  })
  assert.equal(status, 1)
  assert.match(stdout, /✖ throws/)
  assert.match(stdout, /at new WorkQueue \(src\/wq\/queue\.ts:\d+:\d+\)/)
  assert.doesNotMatch(stdout, /\/dist\/wq\//)
  // What has no map stays as it is.
  assert.match(stdout, /made\.test\.mjs:3:\d+/)
})
