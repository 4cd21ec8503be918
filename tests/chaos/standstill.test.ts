/**
 * A process that is stopped or frozen by others, with all its threads.
 *
 * `CHAOS_STOP_MS` is for how long; the suite's own figure is short, and still beyond every limit in
 * time that the program has.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Cgroup } from './cgroup.js'
import { Child, pause, until } from './child.js'
import { standsStill } from './standstill.js'

const ms = Number(process.env['CHAOS_STOP_MS'] ?? 6000)
const isStopped = (child: Child): boolean => child.threads().every(({ state }) => state === 'T')

/** Signals that nobody listens for, and that do nothing by default. */
const signalOften = (child: Child): Promise<void> => {
  for (let count = 0; count < 1000; count++) child.process.kill('SIGWINCH')
  return pause(1)
}

// Side by side, since most of their time is spent standing.
describe(
  'a process that stands still for longer than its limits in time',
  { concurrency: true },
  () => {
    test('by SIGSTOP loses, repeats and times out nothing; same workers (BUG-SIG-6, SG-5, INV-SIG-2)', async (t) => {
      const stop = async (child: Child): Promise<void> => {
        child.process.kill('SIGSTOP')
        await until('every thread is stopped', () => isStopped(child))
      }
      await standsStill(t, { stop, go: (child) => child.process.kill('SIGCONT') }, ms)
    })

    test('in a frozen cgroup, version 2, the same; signals do not make it run (SG-10, BUG-SIG-3)', async (t) => {
      const group = Cgroup.make(t, null, 'cgroup.freeze')
      if (typeof group === 'string') return t.skip(group)
      const stop = async (child: Child): Promise<void> => {
        group.add(child.pid)
        group.set('cgroup.freeze', '1')
        await until('it is frozen', () => group.get('cgroup.events').includes('frozen 1'))
      }
      const go = (): void => group.set('cgroup.freeze', '0')
      await standsStill(t, { stop, during: signalOften, go }, ms)
    })

    test('in a frozen cgroup, version 1, the same (SG-10, BUG-SIG-2)', async (t) => {
      const group = Cgroup.make(t, 'freezer', 'freezer.state')
      if (typeof group === 'string') return t.skip(group)
      const stop = async (child: Child): Promise<void> => {
        group.add(child.pid)
        group.set('freezer.state', 'FROZEN')
        await until('it is frozen', () => group.get('freezer.state').trim() === 'FROZEN')
      }
      const go = (): void => group.set('freezer.state', 'THAWED')
      await standsStill(t, { stop, go }, ms)
    })

    test('in a frozen cgroup, version 2, can be killed (SG-7, INV-SIG-3)', async (t) => {
      const group = Cgroup.make(t, null, 'cgroup.freeze')
      if (typeof group === 'string') return t.skip(group)
      const child = new Child(t, './exit.fixture.js', { args: ['spin', 'exit'] })
      await child.says('ready')
      group.add(child.pid)
      group.set('cgroup.freeze', '1')
      await until('it is frozen', () => group.get('cgroup.events').includes('frozen 1'))
      child.process.kill('SIGKILL')
      assert.deepEqual(await child.ended, [null, 'SIGKILL'])
      assert.deepEqual(child.threads(), [])
    })
  },
)
