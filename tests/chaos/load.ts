/**
 * What must hold of the program under load, whatever is done to it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Child, type Start } from './child.js'

interface Report {
  readonly submitted: number
  readonly lost: number
  readonly twice: number
  readonly stuck: number
  readonly ends: Readonly<Record<string, number>>
}

/** Of each work: far more than it needs, and less than a test may take. */
const limitMs = 30_000

/** Runs the program, and does something to it meanwhile, which must harm no work. */
export async function underLoad(
  t: TestContext,
  start: Start,
  meanwhile: (child: Child) => Promise<void>,
): Promise<void> {
  const child = new Child(t, './load.fixture.js', { ...start, args: [String(limitMs)] })
  await child.says('ready')
  await meanwhile(child)
  child.tell('end')
  const { ends, submitted, ...rest } = await child.says<Report>('report')
  assert.deepEqual(await child.ended, [0, null], child.other)
  assert.deepEqual(rest, { lost: 0, twice: 0, stuck: 0 })
  const { 'worker 3': stopped = 0, ...works } = ends
  assert.deepEqual(works, { 'in order': submitted }, 'no work failed, or timed out')
  t.diagnostic(`${submitted} works, and ${stopped} workers stopped`)
}
