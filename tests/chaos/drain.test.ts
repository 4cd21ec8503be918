import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test, type TestContext } from 'node:test'
import { drainOnSignal, WorkQueue } from 'userworker'
import { Child, pause, type Ending, type Start } from './child.js'

/** Starts the program, and waits until its works run. */
async function start(t: TestContext, program: string, how: Start = {}): Promise<Child> {
  const child = new Child(t, './drain.fixture.js', { ...how, args: [program] })
  await child.says('ready')
  return child
}

/** How it ends, and after how many milliseconds. */
async function endOf(child: Child, signal: NodeJS.Signals): Promise<[...Ending, number]> {
  const begun = performance.now()
  child.process.kill(signal)
  const [code, by] = await child.ended
  return [code, by, performance.now() - begun]
}

const finished = ['computed', 'computed', 'computed', 'computed']

describe('drainOnSignal', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`at ${signal} lets bounded works finish, tells unbounded ones, and ends by it`, async (t) => {
      const child = await start(t, 'works')
      const end = await endOf(child, signal)
      assert.deepEqual(end.slice(0, 2), [null, signal], child.other)
      assert.deepEqual(await child.says('bounded'), finished)
      assert.equal(await child.says('unbounded'), 'told')
      if (signal === 'SIGTERM') assert.equal(await child.says('late'), 'ECANCELED')
    })
  }

  test('waits for the signals that are given, and for no other', async (t) => {
    const child = await start(t, 'hup')
    const end = await endOf(child, 'SIGHUP')
    assert.deepEqual(end.slice(0, 2), [null, 'SIGHUP'], child.other)
    assert.deepEqual(await child.says('bounded'), finished)
    const other = await start(t, 'hup')
    assert.deepEqual((await endOf(other, 'SIGINT')).slice(0, 2), [null, 'SIGINT'])
    await assert.rejects(other.says('bounded'), /has ended without/)
  })

  test('ends at once at a second signal, by that one', async (t) => {
    const child = await start(t, 'endless')
    child.process.kill('SIGTERM')
    await pause(300)
    assert.equal(child.process.signalCode, null, 'the work goes on')
    const [code, by, ms] = await endOf(child, 'SIGINT')
    assert.deepEqual([code, by], [null, 'SIGINT'])
    assert.ok(ms < 5000, `${ms} ms`)
  })

  test('ends at its deadline, or at the closeDeadlineMs of the queue, whatever works do', async (t) => {
    for (const program of ['deadline', 'impatient']) {
      const child = await start(t, program)
      const [code, by, ms] = await endOf(child, 'SIGTERM')
      assert.deepEqual([code, by], [null, 'SIGTERM'], program)
      assert.ok(ms >= 395 && ms < 20_000, `${program}: ${ms} ms`)
    }
  })

  test('does nothing once it was taken back', async (t) => {
    const child = await start(t, 'back')
    // The program listens once for SIGTERM itself.
    assert.deepEqual((await endOf(child, 'SIGINT')).slice(0, 2), [null, 'SIGINT'])
    await assert.rejects(child.says('bounded'), /has ended without/)
  })

  test('of several queues ends the process when all of them are closed', async (t) => {
    const child = await start(t, 'two')
    assert.deepEqual((await endOf(child, 'SIGTERM')).slice(0, 2), [null, 'SIGTERM'])
    assert.deepEqual(await child.says('bounded'), finished)
  })

  test("leaves the program's own listeners their call, once, and ends when the queue is closed", async (t) => {
    const child = await start(t, 'listeners')
    assert.deepEqual((await endOf(child, 'SIGTERM')).slice(0, 2), [null, 'SIGTERM'])
    assert.deepEqual([await child.says('heard'), await child.says('heard')], ['first', 'last'])
    assert.deepEqual(await child.says('bounded'), finished)
    await assert.rejects(child.says('heard'), /has ended without/)
  })

  test('ends a process with nothing to do, also one that other things keep alive', async (t) => {
    const child = await start(t, 'quiet')
    const [code, by, ms] = await endOf(child, 'SIGTERM')
    assert.deepEqual([code, by], [null, 'SIGTERM'])
    assert.ok(ms < 5000, `${ms} ms`)
  })

  test('ends the first process of a container too, which its own signal does not end', async (t) => {
    const under = ['unshare', '--pid', '--fork', '--kill-child']
    const tried = spawnSync('unshare', [...under.slice(1), 'true'])
    if (tried.status !== 0) return t.skip('unshare can make no namespace of processes here')
    const child = new Child(t, './drain.fixture.js', { under, args: ['works'] })
    assert.equal(await child.says('ready'), 1)
    const inside = spawnSync('ps', ['--ppid', String(child.pid), '-o', 'pid='], {
      encoding: 'utf8',
    })
    process.kill(Number(inside.stdout), 'SIGTERM')
    assert.deepEqual(await child.ended, [143, null], child.other)
    assert.deepEqual(await child.says('bounded'), finished)
  })

  test('refuses a thread, which no signal reaches, and wrong arguments (SG-1)', async () => {
    await using queue = new WorkQueue(null)
    const refusal = await queue.run(
      async (door) => {
        const { drainOnSignal: drain, WorkQueue: Queue } = (await import(
          String(door)
        )) as typeof import('userworker')
        try {
          drain(new Queue(null))
        } catch (error) {
          return (error as Error & { code: string }).code
        }
        return 'none'
      },
      [import.meta.resolve('userworker')],
    )
    assert.equal(refusal, 'ENOTSUP')
    const loose = drainOnSignal as unknown as (...args: unknown[]) => unknown
    const wrong: unknown[][] = [[], [null], [[]], [[queue, {}]], [queue, null], [queue, 5]]
    const options: unknown[] = [
      { deadlineMs: -1 },
      { deadlineMs: Infinity },
      { signals: 'SIGTERM' },
      { signals: ['SIGKILL'] },
      { signals: ['SIGWINCH'] },
    ]
    for (const args of [...wrong, ...options.map((given) => [queue, given])]) {
      assert.throws(() => loose(...args), { code: 'EINVAL' })
    }
    assert.equal(process.listenerCount('SIGTERM'), 0, 'what was refused listens for nothing')
  })
})
