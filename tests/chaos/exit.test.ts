/**
 * The end of a process whose workers stand anywhere, and what others see of it while it lives.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, after, describe, test, type TestContext } from 'node:test'
import { Child, pause } from './child.js'
import { newerNode } from './newer-node.js'

const folder = mkdtempSync(join(tmpdir(), 'userworker-'))
const fifo = join(folder, 'fifo')
/** What counts as "at once" on a machine under load. */
const atOnceMs = 10_000

before(() => execFileSync('mkfifo', [fifo]))
after(() => rmSync(folder, { recursive: true }))

async function start(
  t: TestContext,
  where: string,
  how: string,
  node = process.execPath,
): Promise<Child> {
  // An abort is to leave no core behind.
  const under = ['prlimit', '--core=0']
  const child = new Child(t, './exit.fixture.js', { under, node, args: [where, how, fifo] })
  await child.says('ready')
  return child
}

/** Tells it to end. @returns after how many milliseconds something came of it */
async function timed(child: Child, what: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  child.tell('end')
  await what
  return Math.round(performance.now() - begun)
}

const busyOrWaiting = ['spin', 'wait']

describe('a process whose workers are busy or wait', () => {
  test('ends at once by process.abort and process.exit (INV-SIG-3)', async (t) => {
    for (const [how, ending] of [
      ['exit', [5, null]],
      ['abort', [null, 'SIGABRT']],
    ] as const) {
      for (const where of busyOrWaiting) {
        const child = await start(t, where, how)
        const ms = await timed(child, child.ended)
        assert.deepEqual(await child.ended, ending, child.other)
        assert.ok(ms < atOnceMs, `${where}, ${how}: ${ms} ms`)
        t.diagnostic(`${how} with two workers that ${where}: ${ms} ms`)
      }
    }
  })

  test('becomes another program by process.execve, also with workers in a system call', async (t) => {
    const node = newerNode()
    if (node === null) return t.skip('there is no .cache/node-24; process.execve needs Node 22.15')
    for (const where of [...busyOrWaiting, 'openFifo']) {
      const child = await start(t, where, 'execve', node)
      const ms = await timed(child, child.says<number>('became'))
      assert.deepEqual(await child.ended, [0, null], child.other)
      assert.ok(ms < atOnceMs, `${where}: ${ms} ms`)
      t.diagnostic(`execve with two workers that ${where}: ${ms} ms`)
    }
  })

  test('is one process for the system, with each worker as a named thread (INV-UW-4)', async (t) => {
    const child = await start(t, 'wait', 'exit')
    const ps = (...args: string[]): string[] =>
      execFileSync('ps', args, { encoding: 'utf8' }).trim().split('\n')
    const processes = ps('-e', '-o', 'pid=,ppid=').map((line) =>
      line.trim().split(/ +/).map(Number),
    )
    const ours = processes.filter((ids) => ids.includes(child.pid))
    assert.deepEqual(ours, [[child.pid, process.pid]], 'one row, and no child')
    const names = ps('-T', '-p', String(child.pid), '-o', 'comm=')
    assert.deepEqual(names.filter((name) => name.startsWith('uw:')).sort(), [
      'uw:wait-1',
      'uw:wait-2',
    ])
  })

  test('hears each signal once, in its main thread (SG-1, INV-SIG-1, INV-SIG-5)', async (t) => {
    for (const where of busyOrWaiting) {
      const child = await start(t, where, 'exit')
      for (let round = 0; round < 20; round++) {
        for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const) {
          child.process.kill(signal)
          assert.equal(await child.says('heard'), signal)
        }
      }
      child.tell('end')
      assert.deepEqual(await child.ended, [5, null])
      await assert.rejects(child.says('heard'), /has ended without/)
    }
  })
})

describe('a process whose workers stand in a system call', () => {
  test('ends at once by process.abort and by signals', async (t) => {
    for (const how of ['abort', 'SIGTERM', 'SIGKILL'] as const) {
      const child = await start(t, 'openFifo', how)
      if (how === 'abort') child.tell('end')
      else child.process.kill(how)
      assert.equal((await child.ended)[1], how === 'abort' ? 'SIGABRT' : how)
    }
  })

  test('ends by process.exit when the system call returns, and not before: Node joins its threads', async (t) => {
    const child = await start(t, 'openFifo', 'exit')
    child.tell('end')
    await pause(1000)
    assert.ok(existsSync(`/proc/${child.pid}`) && child.process.exitCode === null)
    // Whoever opens the other end lets them go; each of the two stands in a call of its own.
    const other = await open(fifo, 'w')
    assert.deepEqual(await child.ended, [5, null])
    await other.close()
  })
})
