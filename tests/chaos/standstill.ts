/**
 * What must hold when a process under load stands still for longer than any of its limits.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Child, pause } from './child.js'

/** A way to make a process stand still. */
export interface Brake {
  stop(child: Child): Promise<void>
  /** While it stands still. */
  during?(child: Child): Promise<void>
  go(child: Child): void
}

/** Every limit in time of the program: six times what each thing takes that is under way, for a busy machine. */
const limitMs = 5000

type Ids = Readonly<Record<'load' | 'idle' | 'leavers', readonly number[]>>

interface Report {
  readonly submitted: number
  readonly ends: Readonly<Record<string, number>>
}

/** Stops a process under load for so long, and lets it go on. */
export async function standsStill(t: TestContext, brake: Brake, ms: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'beats')
  const beats = (): number => Number(readFileSync(file, 'utf8'))
  const args = [file, String(limitMs)]
  const child = new Child(t, './under-load.fixture.js', { args })
  await child.says('ready')
  child.tell('prime')
  const before = await child.says<Ids>('primed')

  await brake.stop(child)
  const [beat, cpuMs] = [beats(), child.cpuMs()]
  const begun = performance.now()
  await brake.during?.(child)
  await pause(ms - (performance.now() - begun))
  assert.ok(beat > 0)
  assert.equal(beats(), beat, 'no worker runs while the process stands still')
  assert.ok(child.cpuMs() - cpuMs <= 10, `${child.cpuMs() - cpuMs} ms of CPU while it stood still`)
  brake.go(child)

  child.tell('report')
  const after = await child.says<Ids>('after')
  assert.deepEqual(after, before, 'the same workers')
  const { submitted, ends, ...rest } = await child.says<Report>('report')
  const expected = { slow: 'undefined', close: 0, stop: '7', create: '3', lost: 0, twice: 0 }
  assert.deepEqual(rest, expected)
  assert.deepEqual(ends, { 'in order': submitted }, 'no work timed out')
  const end = await child.says<{ beats: number }>('end')
  assert.ok(end.beats > beat, 'the heart beats again')
  assert.deepEqual(end, { beats: end.beats, leavers: 1, idle: 3 }, 'idle workers leave, later')
  assert.deepEqual(await child.ended, [0, null], child.other)
  t.diagnostic(`${submitted} works; stopped for ${ms} ms at beat ${beat}, ended at ${end.beats}`)
}
