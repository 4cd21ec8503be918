import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.js'

/** Half a minute, where nothing else runs. */
const deadlineMs = 600_000

test('a guest of QEMU finds all that it wrote to our disk, whatever dies', (t) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'build/tests/qemu/main.js')],
    { encoding: 'utf8', timeout: deadlineMs },
  )
  const missing = /^npm run qemu: (missing: .*)$/m.exec(stderr)?.[1]
  if (status === 2 && missing !== undefined) return t.skip(missing)
  t.diagnostic(stdout)
  const [, passed, all] = /^guest: ok (\d+)\/(\d+)$/m.exec(stdout) ?? []
  assert.ok(status === 0 && passed !== undefined && passed === all, `${stdout}${stderr}`)
})
