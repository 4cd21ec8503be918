/**
 * A program under load in a system that gives it little of a CPU.
 */
import { describe, test } from 'node:test'
import { Cgroup } from './cgroup.js'
import { pause } from './child.js'
import { underLoad } from './load.js'

describe('a process under load', () => {
  test('whose cgroup has a tenth of a CPU goes on slowly, and times out nothing', async (t) => {
    let group = Cgroup.make(t, null, 'cpu.max')
    let [file, value] = ['cpu.max', '10000 100000']
    if (typeof group === 'string') {
      group = Cgroup.make(t, 'cpu', 'cpu.cfs_quota_us')
      ;[file, value] = ['cpu.cfs_quota_us', '10000']
    }
    if (typeof group === 'string') return t.skip(group)
    const little = group
    await underLoad(t, {}, async (child) => {
      little.add(child.pid)
      little.set(file, value)
      await pause(2000)
      little.set(file, file === 'cpu.max' ? 'max 100000' : '-1')
    })
  })
})
