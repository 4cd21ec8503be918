import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { makeCgroups, mountPoint, outputWithin } from './cgroup.fixture.js'
import { evaluating, output } from './child.fixture.js'
import * as limits from './limits.js'
import { plantTree } from './tree.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the /proc of Linux' }

const unified = {
  'proc/self/cgroup': '0::/outer/inner\n',
  'proc/self/mountinfo': '41 31 0:38 / /cg rw - cgroup2 cgroup2 rw\n',
}
const version1 = {
  'proc/self/cgroup': '2:pids:/outer/inner\n1:cpu,cpuacct:/outer/inner\n',
  'proc/self/mountinfo':
    '32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n33 31 0:30 / /cg/pids rw - cgroup cgroup rw,pids\n',
}

const withUserLimit = (soft: string): Record<string, string> => ({
  'proc/self/limits': [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max resident set          17                   17                   bytes     ',
    `Max processes             ${soft.padEnd(21)}96365                processes `,
    'Max open files            20000                20000                files     ',
    '',
  ].join('\n'),
})

const allowing = (list: string): Record<string, string> => ({
  'proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed_list:\t0\n`,
})

const withQuota = (cpus: string, quota: string): Record<string, string> => ({
  ...unified,
  'proc/self/status': `Cpus_allowed_list:\t${cpus}\n`,
  'cg/outer/cpu.max': quota,
})

describe('the limit of threads of a user (UW-8)', () => {
  test('is the soft one', (t) => {
    assert.equal(limits.maxUserProcesses(plantTree(t, withUserLimit('123'))), 123)
  })

  test('is infinite when unlimited', (t) => {
    assert.equal(limits.maxUserProcesses(plantTree(t, withUserLimit('unlimited'))), Infinity)
  })

  test('is null where the system does not say', (t) => {
    assert.equal(limits.maxUserProcesses(plantTree(t, {})), null)
    assert.equal(limits.maxUserProcesses(plantTree(t, { 'proc/self/limits': 'Limit\n' })), null)
  })

  test('is what prlimit set', linuxOnly, () => {
    const node = [process.execPath, ...evaluating('limits.js', 'it.maxUserProcesses()')]
    assert.equal(output('prlimit', ['--nproc=1234:2345', ...node]), '1234')
  })
})

describe('the limit of threads of a cgroup (UW-8)', () => {
  test('is the smallest from our cgroup up to the root', (t) => {
    const inner = { ...unified, 'cg/outer/inner/pids.max': '70\n' }
    assert.equal(limits.pidsMax(plantTree(t, inner)), 70)
    assert.equal(limits.pidsMax(plantTree(t, { ...inner, 'cg/outer/pids.max': '60\n' })), 60)
    assert.equal(limits.pidsMax(plantTree(t, { ...inner, 'cg/outer/pids.max': 'max\n' })), 70)
    assert.equal(limits.pidsMax(plantTree(t, { ...inner, 'cg/pids.max': '5\n' })), 5)
  })

  test('is found on version 1', (t) => {
    const root = plantTree(t, {
      ...version1,
      'cg/pids/outer/inner/pids.max': 'max\n',
      'cg/pids/outer/pids.max': '60\n',
      'cg/cpu/outer/pids.max': '1\n',
    })
    assert.equal(limits.pidsMax(root), 60)
  })

  test('is found on the half of a hybrid system that has it', (t) => {
    const hybrid = {
      'proc/self/cgroup': '2:pids:/a\n0::/b\n',
      'proc/self/mountinfo':
        '33 31 0:30 / /cg/pids rw - cgroup cgroup rw,pids\n41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n',
    }
    assert.equal(limits.pidsMax(plantTree(t, { ...hybrid, 'cg/pids/a/pids.max': '60\n' })), 60)
    assert.equal(limits.pidsMax(plantTree(t, { ...hybrid, 'cg/unified/b/pids.max': '50\n' })), 50)
  })

  test('is infinite when the system says that there is none, null when it says nothing', (t) => {
    const none = { ...unified, 'cg/outer/inner/pids.max': 'max\n' }
    assert.equal(limits.pidsMax(plantTree(t, none)), Infinity)
    assert.equal(limits.pidsMax(plantTree(t, unified)), null)
    assert.equal(limits.pidsMax(plantTree(t, {})), null)
    assert.equal(limits.pidsMax(plantTree(t, { ...unified, 'cg/outer/pids.max': 'x\n' })), null)
  })
})

describe('the CPU quota of a cgroup', () => {
  test('is counted in CPUs, and is the smallest from our cgroup up to the root', (t) => {
    const inner = { ...unified, 'cg/outer/inner/cpu.max': '150000 100000\n' }
    assert.equal(limits.cpuQuota(plantTree(t, inner)), 1.5)
    assert.equal(
      limits.cpuQuota(plantTree(t, { ...inner, 'cg/outer/cpu.max': 'max 100000\n' })),
      1.5,
    )
    assert.equal(
      limits.cpuQuota(plantTree(t, { ...inner, 'cg/outer/cpu.max': '5000 10000\n' })),
      0.5,
    )
  })

  test('is found on version 1', (t) => {
    const inner = {
      ...version1,
      'cg/cpu/outer/inner/cpu.cfs_quota_us': '-1\n',
      'cg/cpu/outer/inner/cpu.cfs_period_us': '100000\n',
    }
    assert.equal(limits.cpuQuota(plantTree(t, inner)), Infinity)
    const outer = {
      'cg/cpu/outer/cpu.cfs_quota_us': '50000\n',
      'cg/cpu/outer/cpu.cfs_period_us': '20000\n',
    }
    assert.equal(limits.cpuQuota(plantTree(t, { ...inner, ...outer })), 2.5)
  })

  test('is infinite when the system says that there is none, null when it says nothing', (t) => {
    const none = { ...unified, 'cg/outer/inner/cpu.max': 'max 100000\n' }
    assert.equal(limits.cpuQuota(plantTree(t, none)), Infinity)
    assert.equal(limits.cpuQuota(plantTree(t, unified)), null)
    assert.equal(limits.cpuQuota(plantTree(t, {})), null)
    for (const nonsense of ['', '100000 0\n', '100000\n', 'much 100000\n']) {
      const root = plantTree(t, { ...unified, 'cg/outer/inner/cpu.max': nonsense })
      assert.equal(limits.cpuQuota(root), null, JSON.stringify(nonsense))
    }
  })
})

describe('the CPU set (WQ-8)', () => {
  test('is what the system allows', (t) => {
    assert.deepEqual(limits.cpuSet(plantTree(t, allowing('0-2,7,9-10'))), [0, 1, 2, 7, 9, 10])
    assert.deepEqual(limits.cpuSet(plantTree(t, allowing('5'))), [5])
  })

  test('holds no CPU that could only be plugged in later', (t) => {
    const files = { ...allowing('0-127'), 'sys/devices/system/cpu/online': '0-1,3\n' }
    assert.deepEqual(limits.cpuSet(plantTree(t, files)), [0, 1, 3])
  })

  test('of another thread of ours is that of its own file', (t) => {
    const other = 'Name:\tuw:x\nCpus_allowed_list:\t1-7\n'
    const root = plantTree(t, {
      ...allowing('0-127'),
      'proc/self/task/8/status': other,
      'sys/devices/system/cpu/online': '0-1,3\n',
    })
    assert.deepEqual(limits.affinityOf(8, root), [1, 3])
    assert.deepEqual(limits.allCpus(root), [0, 1, 3])
    assert.equal(limits.affinityOf(9, root), null)
    assert.equal(limits.allCpus(plantTree(t, {})), null)
  })

  test('is that of the calling thread, which may have another than its process', (t) => {
    const files = { ...allowing('0-7'), 'proc/thread-self/status': 'Cpus_allowed_list:\t3\n' }
    assert.deepEqual(limits.cpuSet(plantTree(t, files)), [3])
  })

  test('is null where the system does not say', (t) => {
    assert.equal(limits.cpuSet(plantTree(t, {})), null)
    assert.equal(limits.cpuSet(plantTree(t, { 'proc/self/status': 'Name:\tnode\n' })), null)
  })

  test('is what taskset set, and bounds the parallelism', linuxOnly, () => {
    const cpu = limits.cpuSet()?.at(-1)
    const node = [
      process.execPath,
      ...evaluating('limits.js', "it.cpuSet() + ' ' + it.parallelism()"),
    ]
    assert.equal(output('taskset', ['-c', `${cpu}`, ...node]), `${cpu} 1`)
  })
})

describe('the parallelism', () => {
  test('is the number of CPUs, or the quota rounded up if that is less', (t) => {
    assert.equal(limits.parallelism(plantTree(t, withQuota('0-7', 'max 100000\n'))), 8)
    assert.equal(limits.parallelism(plantTree(t, withQuota('0-7', '150000 100000\n'))), 2)
    assert.equal(limits.parallelism(plantTree(t, withQuota('0', '150000 100000\n'))), 1)
    assert.equal(limits.parallelism(plantTree(t, withQuota('0-7', '800000 100000\n'))), 8)
  })

  test('is never less than 1', (t) => {
    assert.equal(limits.parallelism(plantTree(t, withQuota('0-7', '1000 100000\n'))), 1)
    assert.equal(limits.parallelism(plantTree(t, withQuota('0-7', '0 100000\n'))), 1)
    const offline = { ...withQuota('7', 'max 100000\n'), 'sys/devices/system/cpu/online': '0\n' }
    assert.equal(limits.parallelism(plantTree(t, offline)), 1)
  })

  test('is what Node counts where the system says nothing', (t) => {
    assert.equal(limits.parallelism(plantTree(t, {})), availableParallelism())
  })
})

const allOfThem = "it.cpuQuota() + ' ' + it.pidsMax() + ' ' + it.parallelism()"
const node = [process.execPath, ...evaluating('limits.js', allOfThem)]
const unlimitedParallelism = (): string =>
  output(process.execPath, node.slice(1)).split(' ')[2] ?? ''

/** What a child sees that joined these cgroups before it became Node. */
function seenWithin(cgroups: string[], command: string[] = node): string[] {
  return outputWithin(cgroups, command).split(' ')
}

describe('a real cgroup', () => {
  test('of version 1 limits CPU time and threads of all below it (UW-8)', (t) => {
    const cpuTop = mountPoint('cgroup', 'cpu')
    const pidsTop = mountPoint('cgroup', 'pids')
    if (cpuTop === null || pidsTop === null) {
      return t.skip('no mount of the version 1 controllers cpu and pids')
    }
    const quota = { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '50000' }
    const cpu = makeCgroups(t, cpuTop, quota)
    const pids = makeCgroups(t, pidsTop, { 'pids.max': '500' })
    if (cpu instanceof Error) return t.skip(`no cgroup can be made: ${cpu.message}`)
    if (pids instanceof Error) return t.skip(`no cgroup can be made: ${pids.message}`)
    assert.deepEqual(seenWithin([cpu, pids]), ['0.5', '500', '1'])
    writeFileSync(join(pids, 'pids.max'), '400')
    writeFileSync(join(cpu, '../cpu.cfs_quota_us'), '-1')
    assert.deepEqual(seenWithin([cpu, pids]), ['Infinity', '400', unlimitedParallelism()])
  })

  test('of version 1 is found where only a part of its hierarchy is mounted, as in a container', (t) => {
    const top = mountPoint('cgroup', 'cpu')
    if (top === null) return t.skip('no mount of the version 1 controller cpu')
    const mounting = spawnSync('unshare', ['-m', 'true'], { encoding: 'utf8' })
    if (mounting.status !== 0) return t.skip(`unshare -m: ${mounting.error ?? mounting.stderr}`)
    const inner = makeCgroups(t, top, { 'cpu.cfs_quota_us': '150000' })
    if (inner instanceof Error) return t.skip(`no cgroup can be made: ${inner.message}`)
    const mount = `mount --bind "$0/.." "$1" && shift && exec "$@"`
    const command = ['unshare', '-m', 'sh', '-c', mount, inner, top, ...node]
    assert.equal(seenWithin([inner], command)[0], '1.5')
  })

  test('of version 2 limits CPU time and threads of all below it (UW-8)', (t) => {
    const top = mountPoint('cgroup2')
    if (top === null) return t.skip('no mount of cgroup version 2')
    const offered = readFileSync(join(top, 'cgroup.subtree_control'), 'utf8').trim()
    if (!['cpu', 'pids'].every((name) => offered.split(' ').includes(name))) {
      return t.skip(`the cgroups of ${top} have the controllers '${offered}', not cpu and pids`)
    }
    const inner = makeCgroups(t, top, { 'cpu.max': '50000 100000', 'pids.max': '500' })
    if (inner instanceof Error) return t.skip(`no cgroup can be made: ${inner.message}`)
    assert.deepEqual(seenWithin([inner]), ['0.5', '500', '1'])
  })
})
