import assert from 'node:assert/strict'
import { constants, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { output } from './child.fixture.js'
import { startOwnThread, until } from './own-thread.fixture.js'
import { sampleThread, setThreadName } from './proc.js'
import { standingOf } from './standing.js'
import { systemCallName } from './system-calls.js'
import { plantTree } from './tree.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the /proc of Linux' }

const stat = (state: string): string => `8 (x) ${state}${' 0'.repeat(40)}\n`
const folder = 'proc/7/task/8'

describe('where a thread stands', () => {
  test('is the state alone where the system does not tell the system call', (t) => {
    const root = plantTree(t, { [`${folder}/stat`]: stat('S') })
    assert.equal(standingOf(8, 7, root), 'sleeping')
    for (const nothing of ['', '-1 0x7ffc 0x7f6d\n', '0\0'.slice(1)]) {
      writeFileSync(join(root, folder, 'syscall'), nothing)
      assert.equal(standingOf(8, 7, root), 'sleeping')
    }
  })

  test('is a system call by its name, or by its number if that is all we know', (t) => {
    const root = plantTree(t, {
      [`${folder}/stat`]: stat('D'),
      [`${folder}/syscall`]: '437 0x3 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f6d\n',
    })
    assert.equal(standingOf(8, 7, root), 'disk-sleep in openat2')
    writeFileSync(join(root, folder, 'syscall'), '99999 0x3\n')
    assert.equal(standingOf(8, 7, root), 'disk-sleep in system call 99999')
  })

  test('is no system call when it runs or was stopped', (t) => {
    const files = { [`${folder}/stat`]: stat('T'), [`${folder}/syscall`]: '0 0x3\n' }
    assert.equal(standingOf(8, 7, plantTree(t, files)), 'stopped')
    const woken = { [`${folder}/stat`]: stat('S'), [`${folder}/syscall`]: 'running\n' }
    assert.equal(standingOf(8, 7, plantTree(t, woken)), 'running')
  })

  test('is null if there is no such thread', (t) => {
    assert.equal(standingOf(9, 7, plantTree(t, { [`${folder}/stat`]: stat('S') })), null)
  })
})

describe('the names of system calls', () => {
  test('are those of the architecture', () => {
    const both = (x64: number, arm64: number): string[] => [
      systemCallName(x64, 'x64'),
      systemCallName(arm64, 'arm64'),
    ]
    assert.deepEqual(both(202, 98), ['futex', 'futex'])
    assert.deepEqual(both(232, 22), ['epoll_wait', 'epoll_pwait'])
    assert.deepEqual(both(0, 63), ['read', 'read'])
    assert.deepEqual(both(73, 32), ['flock', 'flock'])
    assert.deepEqual(both(455, 455), ['futex_wait', 'futex_wait'])
    assert.equal(systemCallName(202, 'riscv64'), 'system call 202')
  })
})

describe('a real thread', linuxOnly, () => {
  const hasNames = ['x64', 'arm64'].includes(process.arch)
  const known = { skip: hasNames ? false : 'no names of system calls for this architecture' }

  const stands = (tid: number, where: RegExp): Promise<void> =>
    until(`it stood at ${where}`, () => where.test(standingOf(tid) ?? ''))

  test('that waits for a word sleeps in futex', known, async (t) => {
    const tid = await startOwnThread(
      t,
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    )
    await stands(tid, /^sleeping in futex$/)
  })

  test('that waits in its event loop sleeps in epoll', known, async (t) => {
    const tid = await startOwnThread(t, 'setInterval(() => {}, 100_000)')
    await stands(tid, /^sleeping in epoll_p?wait$/)
  })

  test('that computes is running', async (t) => {
    const tid = await startOwnThread(t, 'for (;;);')
    await stands(tid, /^running$/)
  })

  test('that opens a pipe without a writer sleeps in openat until one comes', known, async (t) => {
    const pipe = join(plantTree(t, {}), 'pipe')
    output('mkfifo', [pipe])
    const tid = await startOwnThread(t, 'require("node:fs").openSync(workerData)', pipe)
    await stands(tid, /^sleeping in openat$/)
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
    await until('it was released', () => !/openat/.test(standingOf(tid) ?? 'gone'))
  })

  test('is named by another thread of its process, cut and cleaned (UW-10)', async (t) => {
    const tid = await startOwnThread(
      t,
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    )
    const own = sampleThread(process.pid)?.name
    assert.equal(setThreadName(tid, 'two\nlines that are long'), true)
    assert.equal(sampleThread(tid)?.name, 'two?lines that ')
    assert.equal(
      output('ps', ['-L', '-q', String(process.pid), '-o', 'tid=,comm=']).match(
        new RegExp(`${tid} (.*)`),
      )?.[1],
      'two?lines that ',
    )
    assert.equal(sampleThread(process.pid)?.name, own)
  })

  test('of another process is not named, and neither is one that is gone', () => {
    assert.equal(setThreadName(process.ppid, 'x'), false)
    assert.equal(setThreadName(2 ** 22 + 1, 'x'), false)
  })
})
