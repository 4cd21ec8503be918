/**
 * A system that gives fewer threads than a queue could use.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test, type TestContext } from 'node:test'
import { Cgroup } from './cgroup.js'
import { Child, type Start } from './child.js'
import { newerNode } from './newer-node.js'

/** The greatest number of threads; a Node without workers has up to 12. */
const most = 32
const count = 300

interface Report {
  readonly ends: Readonly<Record<string, number>>
  readonly once: boolean
  readonly threads: number | null
  readonly workers: number
  readonly askedPerS: number
  readonly cpuPercent: number
}

/** Users whose threads nobody else is counted with, not even another run of these tests. */
const strangers = { own: 60_000 + (process.pid % 2500), newer: 62_500 + (process.pid % 2500) }

/** Runs the program, which has more works than it can have threads. */
async function atTheLimit(
  t: TestContext,
  start: Start,
  join: (child: Child) => void = () => {},
  maxWorkers = 256,
): Promise<Report> {
  const args = [count, 300, maxWorkers].map(String)
  const child = new Child(t, './thread-limit.fixture.js', { ...start, args })
  join(child)
  const report = await child.says<Report>('report')
  assert.deepEqual(await child.ended, [0, null], child.other)
  t.diagnostic(JSON.stringify(report))
  assert.deepEqual(report.ends, { rested: count }, 'no work is lost')
  assert.equal(report.once, true, 'each work ran once')
  assert.ok(report.askedPerS <= 10, `threads were asked for ${report.askedPerS} times a second`)
  assert.ok(report.cpuPercent <= 30, `${report.cpuPercent} % of a CPU`)
  return report
}

const reached = ({ workers, threads }: Report): boolean => workers >= 8 && (threads ?? 0) <= most

/** Runs the program as a user who may have so many threads. */
async function limited(t: TestContext, stranger: number, node: string | null): Promise<void> {
  if (process.getuid?.() !== 0) return t.skip('needs root, to run a program as another user')
  if (node === null) return t.skip('there is no .cache/node-24')
  const seen = spawnSync(node, ['--version'], { uid: stranger, gid: stranger })
  if (seen.status !== 0) return t.skip('another user cannot read these files')
  const under = ['prlimit', `--nproc=${most}`]
  assert.ok(reached(await atTheLimit(t, { under, node, user: stranger })))
}

// Side by side: most of their time is spent waiting.
describe('where the system gives no further thread', { concurrency: true }, () => {
  test('because of RLIMIT_NPROC works wait, and nothing spins (UW-8, WQ-61)', async (t) => {
    await limited(t, strangers.own, process.execPath)
  })

  test('because of RLIMIT_NPROC works wait on Node 24 too, and Node does not abort', async (t) => {
    await limited(t, strangers.newer, newerNode())
  })

  test('because of pids.max of its cgroup, works wait, and nothing spins (UW-8, WQ-61)', async (t) => {
    let group = Cgroup.make(t, 'pids', 'pids.max')
    if (typeof group === 'string') group = Cgroup.make(t, null, 'pids.max')
    if (typeof group === 'string') return t.skip(group)
    const pids = group
    pids.set('pids.max', String(most))
    assert.ok(reached(await atTheLimit(t, {}, (child) => pids.add(child.pid))))
  })

  test('for want of file descriptors (EMFILE), works wait, and nothing spins (WQ-61, UW-7)', async (t) => {
    const { workers } = await atTheLimit(t, { under: ['prlimit', '--nofile=64'] }, () => {}, 24)
    assert.ok(workers >= 1 && workers < 24)
  })
})
