/**
 * A short soak, which is well, and two in which something is done wrong on purpose.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import type { Report } from './report.js'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
/** A machine under load takes many times as long as it is told. */
const hangMs = 300_000

function soak(t: TestContext, args: readonly string[]): { status: number | null; report: Report } {
  const all = [main, '--json', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, all, {
    encoding: 'utf8',
    timeout: hangMs,
  })
  assert.ok(stdout.startsWith('{'), `${status}: ${stderr}`)
  const report = JSON.parse(stdout) as Report
  t.diagnostic(`seed ${report.seed}: ${report.submitted} works, ${report.samples} samples`)
  t.diagnostic(stderr)
  return { status, report }
}

describe('a short soak', () => {
  test('loses, repeats and leaves nothing, whatever dies meanwhile', (t) => {
    const { status, report } = soak(t, ['--minutes', '0.1'])
    const { lost, duplicated, wrong, complaints, works } = report
    assert.deepEqual(
      { lost, duplicated, wrong, complaints },
      {
        lost: 0,
        duplicated: 0,
        wrong: 0,
        complaints: [],
      },
    )
    assert.equal(status, 0)
    for (const kind of ['add', 'echo', 'add, isolated', 'add, beside a death', 'owned: close'])
      assert.ok((works[kind] ?? 0) > 0, kind)
  })

  const quiet = [
    'isolated',
    'deadly',
    'nested',
    'workers',
    'owners',
    'disk',
    'disk with an overlay',
  ]
  const few = quiet.flatMap((name) => ['--without', name])

  test('says so of works that begin twice or are wrong, and of what is left behind', (t) => {
    const flaws = ['twice', 'wrong', 'descriptor', 'worker'].flatMap((name) => ['--flaw', name])
    const { status, report } = soak(t, ['--minutes', '0.05', ...few, ...flaws])
    assert.equal(status, 1)
    assert.ok(report.duplicated >= 4 && report.wrong >= 4, report.notes.join('\n'))
    for (const measure of ['fds', 'threads', 'rows'])
      assert.match(report.complaints.join('\n'), new RegExp(`^${measure} has grown`, 'm'))
  })

  test('says so of a work that never settles, and ends', (t) => {
    const { status, report } = soak(t, [
      '--minutes',
      '1',
      '--deadline',
      '2',
      ...few,
      '--flaw',
      'lost',
    ])
    assert.equal(status, 1)
    assert.ok(report.lost >= 1, report.notes.join('\n'))
  })
})
