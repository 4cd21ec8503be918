import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { evaluating, output, startNamedThread } from './child.fixture.js'
import * as proc from './proc.js'
import { plantTree } from './tree.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the /proc of Linux' }

/** A line of /proc/PID/task/TID/stat: 1.23 s in user mode and 0.45 s in the kernel, nice 5. */
function statLine(tid: number, name: string, state: string): string {
  return `${tid} (${name}) ${state} 1 7 7 0 -1 4194368 100 0 0 0 123 45 0 0 20 5 11 0 100 0 0\n`
}

/** A process 7 whose second thread, 8, has this name and state. */
const processSeven = (name: string, state: string): Record<string, string> => ({
  'proc/7/status': 'Name:\tseven\nTgid:\t7\nPid:\t7\n',
  'proc/7/task/7/stat': statLine(7, 'seven', 'S'),
  'proc/7/task/8/stat': statLine(8, name, state),
  'proc/7/task/8/schedstat': '1500000000 300 20\n',
})

const asPsShowsIt = (pid: number, tid: number, column: string): string => {
  const lines = output('ps', ['-T', '-p', `${pid}`, '-o', `tid=,${column}=`]).split('\n')
  const line = lines.map((each) => each.trim()).find((each) => each.startsWith(`${tid} `))
  return line?.slice(`${tid} `.length).trim() ?? 'missing'
}

describe('the name of a thread', () => {
  test('begins with uw: and has at most 15 bytes (UW-10)', () => {
    assert.equal(proc.visibleName('poller'), 'uw:poller')
    assert.equal(proc.visibleName('123456789012'), 'uw:123456789012')
    assert.equal(proc.visibleName('1234567890123'), 'uw:123456789012')
    assert.equal(proc.visibleName(''), 'uw:')
  })

  test('is never cut inside a character', () => {
    assert.equal(proc.visibleName('12345678901é'), 'uw:12345678901')
    assert.equal(proc.visibleName('1234567890é'), 'uw:1234567890é')
    assert.equal(proc.visibleName('日本語日本'), 'uw:日本語日')
    assert.equal(proc.visibleName('123456789😀'), 'uw:123456789')
    assert.equal(proc.visibleName('12345678😀x'), 'uw:12345678😀')
    for (let length = 0; length < 20; length++) {
      for (const character of ['a', 'é', '語', '😀']) {
        const seen = proc.visibleName('x'.repeat(length) + character.repeat(9))
        assert.ok(Buffer.byteLength(seen) <= 15, seen)
        assert.ok(!seen.includes('\ufffd'), seen)
      }
    }
  })

  test('holds no control character, and no half of a surrogate pair', () => {
    assert.equal(proc.visibleName('a\nb\0c\x1b[1m\x7f\x9b'), 'uw:a?b?c?[1m??')
    assert.equal(proc.visibleName('\ud83d'), 'uw:\ufffd')
  })

  test('is set for the calling thread, cut and cleaned', (t) => {
    const root = plantTree(t, { 'proc/thread-self/comm': '' })
    assert.equal(proc.setThreadName(0, 'uw:two\nlines of', root), true)
    assert.equal(readFileSync(join(root, 'proc/thread-self/comm'), 'utf8'), 'uw:two?lines of')
  })

  test('cannot be set without /proc, and nothing is made there', (t) => {
    const root = plantTree(t, {})
    assert.equal(proc.setThreadName(0, 'x', root), false)
    mkdirSync(join(root, 'proc/thread-self'), { recursive: true })
    assert.equal(proc.setThreadName(0, 'x', root), false)
  })
})

describe('the number of a thread', () => {
  test('is that of the link thread-self', (t) => {
    const root = plantTree(t, { 'proc/thread-self': { link: `${process.pid}/task/4711` } })
    assert.equal(proc.osThreadId(root), 4711)
  })

  test('is null if /proc numbers processes otherwise than we do', (t) => {
    const root = plantTree(t, { 'proc/thread-self': { link: `${process.pid + 1}/task/4711` } })
    assert.equal(proc.osThreadId(root), null)
  })

  test('is null without /proc', (t) => {
    const root = plantTree(t, {})
    assert.equal(proc.osThreadId(root), null)
    assert.equal(proc.hasProc(root), false)
  })

  test('is the number of the process on its first thread', linuxOnly, () => {
    assert.equal(
      output(process.execPath, evaluating('proc.js', 'it.osThreadId() - process.pid')),
      '0',
    )
    assert.equal(proc.hasProc(), true)
  })
})

describe('a sample of a thread', () => {
  test('holds its name, state, nice value and CPU time', (t) => {
    const root = plantTree(t, processSeven('uw:poller', 'R'))
    assert.deepEqual(proc.sampleThread(8, 7, root), {
      pid: 7,
      tid: 8,
      name: 'uw:poller',
      state: 'running',
      nice: 5,
      cpuMs: 1500,
    })
  })

  for (const name of ['a b', '(x)', ') S 1 2 (', 'x) R 1', 'two\nlines', ' ', '', ')']) {
    test(`tells the name ${JSON.stringify(name)} from what follows it`, (t) => {
      const root = plantTree(t, processSeven(name, 'D'))
      const { name: seen, state, nice } = proc.sampleThread(8, 7, root) ?? {}
      assert.deepEqual({ seen, state, nice }, { seen: name, state: 'disk-sleep', nice: 5 })
    })
  }

  test('has a word for each state', (t) => {
    const words = 'RSDTtZXxI?'.split('').map((state) => {
      const root = plantTree(t, processSeven('x', state))
      return proc.sampleThread(8, 7, root)?.state
    })
    assert.deepEqual(words, [
      'running',
      'sleeping',
      'disk-sleep',
      'stopped',
      'traced',
      'zombie',
      'dead',
      'dead',
      'idle',
      'unknown',
    ])
  })

  test('counts CPU time in ticks where the kernel counts no nanoseconds', (t) => {
    const root = plantTree(t, processSeven('x', 'S'))
    assert.equal(proc.sampleThread(7, 7, root)?.cpuMs, 1680)
    writeFileSync(join(root, 'proc/7/task/8/schedstat'), '0 0 0\n')
    assert.equal(proc.sampleThread(8, 7, root)?.cpuMs, 1680)
  })

  test('is null if there is no such thread, or its file says nothing', (t) => {
    const root = plantTree(t, { ...processSeven('x', 'S'), 'proc/7/task/9/stat': '' })
    assert.equal(proc.sampleThread(9, 7, root), null)
    assert.equal(proc.sampleThread(10, 7, root), null)
    assert.equal(proc.sampleThread(8, 6, root), null)
  })
})

describe('lists', () => {
  test('threads come in the order of their numbers', (t) => {
    const files = processSeven('x', 'S')
    const root = plantTree(t, { ...files, 'proc/7/task/10/stat': statLine(10, 'y', 'S') })
    assert.deepEqual(
      proc.threadsOf(7, root).map((thread) => thread.tid),
      [7, 8, 10],
    )
  })

  test('the number of a thread is not the number of a process', (t) => {
    const root = plantTree(t, {
      'proc/8/status': 'Tgid:\t7\nPid:\t8\n',
      'proc/8/task/8/stat': statLine(8, 'x', 'S'),
    })
    assert.deepEqual(proc.threadsOf(8, root), [])
  })

  test('are empty without /proc', (t) => {
    const root = plantTree(t, {})
    assert.deepEqual(proc.threadsOf(7, root), [])
    assert.deepEqual(proc.processesOf(0, root), [])
  })

  test("hold a user's processes and nobody else's", (t) => {
    const me = process.geteuid?.() ?? 0
    const root = plantTree(t, { 'proc/12/x': '', 'proc/7/x': '', 'proc/net/x': '' })
    assert.deepEqual(proc.processesOf(me, root), [7, 12])
    assert.deepEqual(proc.processesOf(me + 1, root), [])
  })

  test('show this process and its threads', linuxOnly, () => {
    assert.ok(proc.processesOf(process.geteuid?.() ?? -1).includes(process.pid))
    assert.equal(proc.threadsOf()[0]?.tid, process.pid)
  })
})

describe('a real thread', linuxOnly, () => {
  test('bears its name in ps, and its process keeps its own (UW-10)', async (t) => {
    const { pid, tid } = await startNamedThread(t, proc.visibleName('a (b) with more'))
    assert.equal(asPsShowsIt(pid, tid, 'comm'), 'uw:a (b) with m')
    assert.notEqual(asPsShowsIt(pid, pid, 'comm'), 'uw:a (b) with m')
    assert.equal(proc.sampleThread(tid, pid)?.name, 'uw:a (b) with m')
  })

  test('has the nice value that was set for it, and its process keeps its own', async (t) => {
    const { pid, tid } = await startNamedThread(t, 'nice')
    const before = asPsShowsIt(pid, pid, 'ni')
    assert.equal(proc.setNice(tid, 7), 'set')
    assert.equal(asPsShowsIt(pid, tid, 'ni'), '7')
    assert.equal(proc.nice(tid), 7)
    assert.equal(proc.sampleThread(tid, pid)?.nice, 7)
    assert.equal(asPsShowsIt(pid, pid, 'ni'), before)
  })

  test('is seen at work, and its CPU time grows by what it used', () => {
    const expression = `(() => {
      const spin = () => { const end = performance.now() + 300; while (performance.now() < end); }
      const before = it.sampleThread(it.osThreadId()); spin()
      const after = it.sampleThread(it.osThreadId())
      return after.state + ' ' + (after.cpuMs - before.cpuMs)
    })()`
    const seen = output(process.execPath, evaluating('proc.js', expression)).split(' ')
    assert.equal(seen[0], 'running')
    // A busy machine may give us only a part of the time, never more than passed.
    assert.ok(Number(seen[1]) > 30 && Number(seen[1]) < 400, `${seen[1]} ms of CPU time`)
  })

  test('sleeps when it has nothing to do', async (t) => {
    const { pid, tid } = await startNamedThread(t, 'sleeper')
    const isAsleep = (): boolean => proc.sampleThread(tid, pid)?.state === 'sleeping'
    for (let tries = 0; tries < 1000 && !isAsleep(); tries++) output('sleep', ['0.02'])
    assert.ok(isAsleep())
  })

  test('that does not exist has no nice value, and none can be set', () => {
    const beyondAll = 2 ** 22 + 1 // PID_MAX_LIMIT is 2^22
    assert.equal(proc.nice(beyondAll), null)
    assert.equal(proc.setNice(beyondAll, 1), 'not-found')
  })

  test('takes nice values from -20 to 19 only', () => {
    assert.throws(() => proc.setNice(0, 20), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    assert.throws(() => proc.setNice(0, -21), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  })

  test('of an unprivileged user can become nicer, and not go back', (t) => {
    const args = evaluating('proc.js', '[it.setNice(0, 9), it.setNice(0, 3), it.nice(0)]')
    const nobody = { uid: 65534 }
    const asNobody = process.geteuid?.() === 0 ? nobody : {}
    const tried = spawnSync(process.execPath, ['--version'], { encoding: 'utf8', ...asNobody })
    if (tried.status !== 0) {
      return t.skip(`user 65534 cannot run Node: ${tried.error ?? tried.stderr}`)
    }
    assert.equal(output(process.execPath, args, asNobody), 'set,refused,9')
  })
})
