import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeCgroups, mountPoint, outputWithin } from './cgroup.fixture.js'
import { evaluating, output } from './child.fixture.js'
import * as affinity from './affinity.js'
import { affinityOf, allCpus } from './limits.js'
import { startOwnThread } from './own-thread.fixture.js'
import { plantTree } from './tree.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs sched_setaffinity' }

const asleep = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'
const ours = affinityOf(process.pid) ?? []
const [first = 0] = ours

/** The compiled library in a folder of its own, where no package can be found but those given. */
function plantLibrary(t: TestContext, koffi: string | null): string {
  const root = plantTree(t, { 'package.json': '{ "type": "module" }' })
  cpSync(fileURLToPath(new URL('..', import.meta.url)), join(root, 'dist'), { recursive: true })
  if (koffi !== null) {
    const folder = join(root, 'node_modules/koffi')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.cjs'), koffi)
    writeFileSync(join(folder, 'package.json'), '{ "main": "index.cjs" }')
  }
  return root
}

/** What a process prints that runs with the library planted at `root`. */
function printedBy(root: string, script: string): string {
  const url = pathToFileURL(join(root, 'dist/os/affinity.js')).href
  const text = `import * as it from ${JSON.stringify(url)}; ${script}`
  return output(process.execPath, ['--input-type=module', '--eval', text])
}

describe('the CPUs of a thread', linuxOnly, () => {
  test('are set by any thread of its process, wherever it stands', async (t) => {
    const tid = await startOwnThread(t, asleep)
    for (const cpu of ours) {
      assert.equal(affinity.setAffinity(tid, [cpu]), 'set')
      assert.deepEqual(affinityOf(tid), [cpu])
    }
    assert.deepEqual(affinityOf(process.pid), ours)
  })

  test('begin as those of its maker, and "all" means all there are', () => {
    const url = JSON.stringify(new URL('limits.js', import.meta.url).href)
    const expression = `await (async () => {
      const limits = await import(${url})
      const before = limits.affinityOf(process.pid)
      const outcome = it.setAffinity(0, limits.allCpus())
      return [before, outcome, limits.affinityOf(process.pid)].join(' ')
    })()`
    const node = [process.execPath, ...evaluating('affinity.js', expression)]
    // The kernel leaves out what the cgroup does not allow, and allows at least what we have.
    const [before, outcome, after = ''] = output('taskset', ['-c', `${first}`, ...node]).split(' ')
    assert.deepEqual([before, outcome], [`${first}`, 'set'])
    const freed = after.split(',').map(Number)
    assert.ok(
      ours.every((cpu) => freed.includes(cpu)),
      after,
    )
    assert.ok(
      freed.every((cpu) => allCpus()?.includes(cpu)),
      after,
    )
  })

  test('that are not there are left out, and none is left when all are', async (t) => {
    const tid = await startOwnThread(t, asleep)
    const beyond = 8191
    assert.equal(affinity.setAffinity(tid, [beyond, 1023, first]), 'set')
    assert.deepEqual(affinityOf(tid), [first])
    assert.equal(affinity.setAffinity(tid, [beyond]), 'no-such-cpu')
    assert.equal(affinity.setAffinity(tid, []), 'no-such-cpu')
    assert.deepEqual(affinityOf(tid), [first])
  })

  test('are never more than the cgroup of the thread has (cpuset)', (t) => {
    const top = mountPoint('cgroup', 'cpuset')
    const [, second] = ours
    if (top === null) return t.skip('no mount of the version 1 controller cpuset')
    if (second === undefined) return t.skip('needs two CPUs')
    const only = { 'cpuset.cpus': `${second}`, 'cpuset.mems': '0', 'cgroup.clone_children': '1' }
    const inner = makeCgroups(t, top, only)
    if (inner instanceof Error) return t.skip(`no cgroup can be made: ${inner.message}`)
    for (const [file, value] of Object.entries(only)) writeFileSync(join(inner, file), value)
    const set = `(cpus) => it.setAffinity(0, cpus)`
    const outcomes = `[${JSON.stringify(allCpus())}, [${first}], [${second}]].map(${set})`
    const node = [process.execPath, ...evaluating('affinity.js', outcomes)]
    assert.equal(outputWithin([inner], node), 'set,no-such-cpu,set')
  })

  test('are not found for a thread that does not exist', () => {
    assert.equal(affinity.setAffinity(2 ** 22 + 1, [first]), 'not-found') // PID_MAX_LIMIT is 2^22
    assert.equal(affinityOf(2 ** 22 + 1), null)
  })

  test('are whole numbers that a kernel could have', () => {
    for (const cpu of [-1, 0.5, 8192, Number.NaN])
      assert.throws(() => affinity.setAffinity(0, [cpu]), { name: 'TypeError', code: 'EINVAL' })
    assert.throws(() => affinity.setAffinity(-1, [0]), { name: 'TypeError', code: 'EINVAL' })
  })

  test("are refused for a stranger's", (t) => {
    if (process.geteuid?.() !== 0) return t.skip('needs root, to become another user')
    const args = evaluating(
      'affinity.js',
      `it.hasLibc() + ' ' + it.setAffinity(${process.pid}, [0])`,
    )
    const tried = spawnSync(process.execPath, args, { encoding: 'utf8', uid: 65534 })
    if (tried.status !== 0) return t.skip(`user 65534 cannot run this: ${tried.stderr}`)
    if (tried.stdout.startsWith('false')) return t.skip('user 65534 cannot read koffi')
    assert.equal(tried.stdout, 'true refused\n')
  })
})

describe('the C library', linuxOnly, () => {
  test('is there, in other threads too', async (t) => {
    assert.equal(affinity.hasLibc(), true)
    const word = new Int32Array(new SharedArrayBuffer(4))
    const url = JSON.stringify(new URL('affinity.js', import.meta.url).href)
    await startOwnThread(
      t,
      `import(${url}).then(({ setAffinity }) => {
        Atomics.store(workerData, 0, setAffinity(0, [${first}]) === 'set' ? 1 : 2)
        Atomics.notify(workerData, 0)
      })`,
      word,
    )
    Atomics.wait(word, 0, 0, 60_000)
    assert.equal(word[0], 1)
  })

  test('is not there without koffi, and every answer is "unsupported"', (t) => {
    const script = 'console.log(it.hasLibc(), it.setAffinity(0, [0]))'
    assert.equal(printedBy(plantLibrary(t, null), script), 'false unsupported')
  })

  test('is not there with a koffi that has no binary for this system', (t) => {
    const root = plantLibrary(t, "throw new Error('Cannot find the native Koffi module')")
    const script = 'console.log(it.hasLibc(), it.setAffinity(0, [0]))'
    assert.equal(printedBy(root, script), 'false unsupported')
  })

  test('is loaded at the first call, once, and not before', (t) => {
    const root = plantLibrary(t, "console.log('loaded'); throw new Error()")
    const script = "console.log('imported'); it.hasLibc(); it.setAffinity(0, [0]); it.hasLibc()"
    assert.equal(printedBy(root, script), 'imported\nloaded')
  })
})
