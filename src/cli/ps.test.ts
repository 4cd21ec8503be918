import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { startNamedThread } from '../os/child.fixture.js'
import { threadsOf, type ThreadSample } from '../os/proc.js'
import { mainFile, run, userworker } from './command-line.fixture.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

const linuxOnly = { skip: process.platform === 'linux' ? false : 'needs the /proc of Linux' }
const beyondAllProcesses = 2 ** 22 + 1 // PID_MAX_LIMIT is 2^22

const listed = (stdout: string): ThreadSample[] => JSON.parse(stdout)

describe('userworker ps', linuxOnly, () => {
  test('prints a table of the workers of a process (S0-3)', async (t) => {
    const { pid, tid } = await startNamedThread(t, 'uw:my poller')
    const { code, stdout, stderr } = userworker(['ps', `${pid}`])
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const lines = stdout.split('\n')
    assert.equal(lines.length, 3)
    assert.match(lines[0] ?? '', /^ +PID +TID +NAME +STATE +NICE +CPU *$/)
    assert.match(
      lines[1] ?? '',
      new RegExp(`^ +${pid} +${tid} +uw:my poller +(sleeping|running) +-?\\d+ +\\d+\\.\\d\\d s *$`),
    )
    assert.equal(lines[2], '')
    const ends = lines.slice(0, 2).map((line) => line.trimEnd().length)
    assert.equal(ends[0], ends[1], 'the columns are not aligned')
  })

  test('prints a JSON array of the same with --json', async (t) => {
    const { pid, tid } = await startNamedThread(t, 'uw:poller')
    const { code, stdout } = userworker(['ps', '--json', `${pid}`])
    const [worker, ...more] = listed(stdout)
    assert.equal(code, 0)
    assert.deepEqual(more, [])
    assert.deepEqual(Object.keys(worker ?? {}), ['pid', 'tid', 'name', 'state', 'nice', 'cpuMs'])
    assert.deepEqual([worker?.pid, worker?.tid, worker?.name], [pid, tid, 'uw:poller'])
    assert.ok((worker?.cpuMs ?? 0) > 0)
  })

  test("finds the workers of all of this user's processes", async (t) => {
    const started = await Promise.all(['uw:a', 'uw:b'].map((name) => startNamedThread(t, name)))
    const inTable = userworker(['ps']).stdout
    const inJson = listed(userworker(['ps', '--json']).stdout)
    for (const { pid, tid } of started) {
      assert.match(inTable, new RegExp(`^ +${pid} +${tid} `, 'm'))
      assert.ok(inJson.some((worker) => worker.pid === pid && worker.tid === tid))
    }
  })

  test('shows no control characters to a terminal, and exact names in JSON', async (t) => {
    const name = 'uw:\x1b[31m\u202e\u0085x'
    const { pid } = await startNamedThread(t, name, 'raw')
    assert.match(userworker(['ps', `${pid}`]).stdout, / uw:\?\[31m\?\?x /)
    const { stdout } = userworker(['ps', '--json', `${pid}`])
    assert.match(stdout, /"uw:\\u001b\[31m\\u202e\\u0085x"/)
    assert.equal(listed(stdout)[0]?.name, name)
  })

  test('says in one line that a process has no workers', async (t) => {
    const { pid } = await startNamedThread(t, 'other')
    assert.deepEqual(userworker(['ps', `${pid}`]), {
      code: 0,
      stdout: `no workers: no thread of process ${pid} is named uw:…\n`,
      stderr: '',
    })
    assert.equal(userworker(['ps', '--json', `${pid}`]).stdout, '[]\n')
  })

  test('takes no process for a worker, whatever its title (S0-3)', (t) => {
    const { title } = process
    t.after(() => {
      process.title = title
    })
    process.title = 'uw:title'
    assert.equal(threadsOf()[0]?.name, 'uw:title')
    assert.equal(userworker(['ps', '--json', `${process.pid}`]).stdout, '[]\n')
  })

  test('says in one line that no process of this user has workers', (t) => {
    if (process.geteuid?.() !== 0) return t.skip('only user 0 can become one without processes')
    const stranger = { uid: 64321 }
    const tried = run(process.execPath, ['--version'], stranger)
    if (tried.code !== 0) return t.skip(`user 64321 cannot run Node: ${tried.stderr}`)
    assert.deepEqual(userworker(['ps'], stranger), {
      code: 0,
      stdout: "no workers: no thread of this user's processes is named uw:…\n",
      stderr: '',
    })
    assert.equal(userworker(['ps', '--json'], stranger).stdout, '[]\n')
  })

  test('does not know a process that does not exist, nor the number of a mere thread', async (t) => {
    const { tid } = await startNamedThread(t, 'uw:poller')
    for (const pid of [beyondAllProcesses, tid]) {
      for (const json of [[], ['--json']]) {
        assert.deepEqual(userworker(['ps', `${pid}`, ...json]), {
          code: 2,
          stdout: '',
          stderr: `userworker: there is no process ${pid}\n`,
        })
      }
    }
  })

  for (const pid of ['0', '-5', '1.5', '1e3', 'init', '', '0x10', '99999999999999999999']) {
    test(`refuses '${pid}' as a PID`, () => {
      assert.deepEqual(userworker(['ps', pid]), {
        code: 2,
        stdout: '',
        stderr:
          `userworker: command-argument value '${pid}' is invalid for argument 'PID'. ` +
          'It must be a positive whole number.\n',
      })
    })
  }

  test('says in one line that there is no /proc', (t) => {
    for (const args of [[], ['1'], ['--json']]) {
      const { code, stdout, stderr } = withoutProc(t, args)
      if (code === null) return
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
      assert.match(stderr, /^userworker: this system has no \/proc.*\n$/)
    }
  })
})

/** Code `null` means that it could not be tried, and that the test is marked so. */
function withoutProc(t: TestContext, args: string[]): ReturnType<typeof run> {
  const leave = 'umount -l /proc || exit 99; exec "$@"'
  const command = [process.execPath, mainFile, 'ps', ...args]
  const ended = run('unshare', ['-m', 'sh', '-c', leave, 'sh', ...command])
  const isRefused = ended.code === null || ended.code === 99 || ended.stderr.startsWith('unshare:')
  if (!isRefused) return ended
  t.skip(`/proc cannot be taken away: ${ended.stderr || 'unshare cannot be run'}`)
  return { ...ended, code: null }
}
