import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cgroupFolders } from './cgroup.js'
import { plantTree } from './tree.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const v1 = (options: string, root: string, point: string): string =>
  `32 31 0:29 ${root} ${point} rw,relatime shared:4 master:1 - cgroup cgroup rw,${options}\n`
const v2 = (root: string, point: string): string =>
  `41 31 0:38 ${root} ${point} rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n`

const files = (cgroup: string, mountinfo: string): Record<string, string> => ({
  'proc/self/cgroup': cgroup,
  'proc/self/mountinfo': `22 27 0:21 / /proc rw - proc proc rw\n${mountinfo}`,
})

describe('the folders of our cgroup', () => {
  test('go from it up to the root of version 2', (t) => {
    const root = plantTree(t, files('0::/user.slice/a b.scope\n', v2('/', '/sys/fs/cgroup')))
    assert.deepEqual(cgroupFolders('cpu', root), [
      '/sys/fs/cgroup/user.slice/a b.scope',
      '/sys/fs/cgroup/user.slice',
      '/sys/fs/cgroup',
    ])
  })

  test('are those of the hierarchy that has the controller, on version 1', (t) => {
    const mounts = v1('cpu,cpuacct', '/', '/cg/cpu') + v1('pids', '/', '/cg/pids')
    const root = plantTree(t, files('4:cpu,cpuacct:/x\n2:pids:/y\n1:name=systemd:/z\n', mounts))
    assert.deepEqual(cgroupFolders('cpu', root), ['/cg/cpu/x', '/cg/cpu'])
    assert.deepEqual(cgroupFolders('pids', root), ['/cg/pids/y', '/cg/pids'])
    assert.deepEqual(cgroupFolders('memory', root), [])
  })

  test('are of both versions on a hybrid system', (t) => {
    const mounts = v1('cpu', '/', '/cg/cpu') + v2('/', '/cg/unified')
    const root = plantTree(t, files('1:cpu:/x\n0::/y\n', mounts))
    assert.deepEqual(cgroupFolders('cpu', root), [
      '/cg/cpu/x',
      '/cg/cpu',
      '/cg/unified/y',
      '/cg/unified',
    ])
    assert.deepEqual(cgroupFolders('pids', root), ['/cg/unified/y', '/cg/unified'])
  })

  test('count from the mount when it shows only a part of the hierarchy, as in a container', (t) => {
    const root = plantTree(t, files('1:cpu:/docker/1a/in\n', v1('cpu', '/docker/1a', '/cg/cpu')))
    assert.deepEqual(cgroupFolders('cpu', root), ['/cg/cpu/in', '/cg/cpu'])
    const top = plantTree(t, files('1:cpu:/docker/1a\n', v1('cpu', '/docker/1a', '/cg/cpu')))
    assert.deepEqual(cgroupFolders('cpu', top), ['/cg/cpu'])
  })

  test('are none of a mount that shows other cgroups than ours', (t) => {
    for (const [cgroup, mounted] of [
      ['/docker/1ab', '/docker/1a'],
      ['/other', '/docker/1a'],
      ['/../sibling', '/'],
      ['/..', '/'],
    ] as const) {
      const root = plantTree(t, files(`0::${cgroup}\n`, v2(mounted, '/cg')))
      assert.deepEqual(cgroupFolders('cpu', root), [], `${cgroup} under ${mounted}`)
    }
  })

  test('are the top only of a mount that begins above our cgroup namespace', (t) => {
    const root = plantTree(t, files('0::/in\n', v2('/../..', '/cg')))
    assert.deepEqual(cgroupFolders('cpu', root), ['/cg'])
    const outside = plantTree(t, files('0::/../sibling/in\n', v2('/..', '/cg')))
    assert.deepEqual(cgroupFolders('cpu', outside), ['/cg/sibling/in', '/cg/sibling', '/cg'])
  })

  test('are found at a mount point, and below a root, with spaces and backslashes', (t) => {
    const mount = v2('/a\\040b', '/c\\134d\\040e\\011f')
    const root = plantTree(t, files('0::/a b/c:d\n', mount))
    assert.deepEqual(cgroupFolders('cpu', root), ['/c\\d e\tf/c:d', '/c\\d e\tf'])
  })

  test('are those of the calling thread, which may be in another cgroup than its process', (t) => {
    const root = plantTree(t, {
      ...files('0::/process\n', v2('/', '/cg')),
      'proc/thread-self/cgroup': '0::/thread\n',
    })
    assert.deepEqual(cgroupFolders('cpu', root), ['/cg/thread', '/cg'])
  })

  test('are none where there are no cgroups, or files that make no sense', (t) => {
    assert.deepEqual(cgroupFolders('cpu', plantTree(t, {})), [])
    assert.deepEqual(cgroupFolders('cpu', plantTree(t, files('', v2('/', '/cg')))), [])
    assert.deepEqual(cgroupFolders('cpu', plantTree(t, files('0::/x\n', ''))), [])
    assert.deepEqual(cgroupFolders('cpu', plantTree(t, files('x\n\n:::\n', ' - \n\n- -\n'))), [])
  })
})
