/**
 * A process that is moved to another cgroup while its workers run.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { Cgroup } from './cgroup.js'
import { Child } from './child.js'

/** Of each thread of a process: its cgroups. */
function groupsOf({ pid }: Child): string[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.map((tid) => readFileSync(`/proc/${pid}/task/${tid}/cgroup`, 'utf8'))
}

async function moves(t: TestContext, group: Cgroup): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const child = new Child(t, './debugged.fixture.js', { args: [join(folder, 'beats')] })
  await child.says('ready')
  assert.ok(groupsOf(child).every((groups) => !groups.includes(group.name)))
  group.add(child.pid)
  const groups = groupsOf(child)
  assert.ok(groups.length > 4, 'the main thread, those of Node, and three workers')
  for (const each of groups) assert.ok(each.includes(group.name), each)
  child.tell('work')
  assert.equal((await child.says<number[]>('workers')).length, 3)
  child.tell('end')
  assert.deepEqual(await child.ended, [0, null], child.other)
}

describe('a process that is moved to another cgroup', () => {
  test('of version 2 takes its workers along, and they go on [BUG-UW-3]', async (t) => {
    const group = Cgroup.make(t, null, 'cgroup.procs')
    if (typeof group === 'string') return t.skip(group)
    await moves(t, group)
  })

  test('of version 1 takes its workers along, and they go on [BUG-UW-3]', async (t) => {
    const group = Cgroup.make(t, 'pids', 'cgroup.procs')
    if (typeof group === 'string') return t.skip(group)
    await moves(t, group)
  })
})
