/**
 * Clocks that jump. The machine's own clock is not touched: what the program sees of it is.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pause } from './child.js'
import { underLoad } from './load.js'

/** In each thread: the time of day is any time of some thirty years, at each look. */
const jumping = `
  const { now } = Date
  globalThis.Date = class extends Date {
    constructor(...given) {
      if (given.length === 0) super(globalThis.Date.now())
      else super(...given)
    }
    static now() { return now() + Math.round((Math.random() - 0.5) * 1e12) }
  }`
/** Some 95 years since the machine was started. */
const offsetS = '3000000000'

/** Why a command cannot be run here; null where it can. */
function missing(command: string, args: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync(command, [...args, 'true'], { encoding: 'utf8' })
  return status === 0 ? null : `${command} cannot do this here: ${error?.message ?? stderr.trim()}`
}

describe('a program under load', () => {
  test('whose time of day jumps by years at each look, forwards and back, times out nothing', async (t) => {
    const preload = `data:text/javascript,${encodeURIComponent(jumping)}`
    await underLoad(t, { under: ['env', `NODE_OPTIONS=--import=${preload}`] }, () => pause(1500))
  })

  test('on a machine that has run for a hundred years is as any other', async (t) => {
    const args = ['--time', '--monotonic', offsetS, '--boottime', offsetS, '--fork', '--kill-child']
    const why = missing('unshare', args)
    if (why !== null) return t.skip(why)
    await underLoad(t, { under: ['unshare', ...args] }, () => pause(1500))
  })

  test('waits by the clock that nobody sets, in all its threads', async (t) => {
    const why = missing('strace', ['-o', '/dev/null'])
    if (why !== null) return t.skip(why)
    const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'calls')
    const calls = ['--follow-forks', '--trace=futex,timerfd_create', '--output', file]
    await underLoad(t, { under: ['strace', ...calls] }, () => pause(1000))
    const lines = readFileSync(file, 'utf8').split('\n')
    // Without a limit in time the flag says nothing.
    const timed = lines.filter((line) => /FUTEX_WAIT.*\{tv_sec=/.test(line))
    const byTimeOfDay = lines.filter((line) =>
      /CLOCK_REALTIME.*\{tv_sec=|timerfd_create\(CLOCK_REALTIME/.test(line),
    )
    assert.ok(timed.length > 0, 'its threads wait for so long, and not longer')
    assert.deepEqual(byTimeOfDay, [])
    t.diagnostic(`${timed.length} waits with a limit in time`)
  })
})
