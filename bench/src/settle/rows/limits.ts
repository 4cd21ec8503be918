/**
 * Limits of the system, real ones: the process lowers its own, and a shell that was there before raises
 * it again, because a process at its limit can make no other that would do so.
 *
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Row, Trial } from '../row.js'
import { wordsOf } from '../words.js'

/** What a trial says where the limit does not hold. */
export const notPossible = 'not possible on this machine'

interface Limit {
  /** As `prlimit` calls it. */
  readonly option: 'nproc' | 'nofile'
  /** As `/proc/self/limits` calls it. */
  readonly name: string
  /** Whether it holds now. */
  holds(): boolean
}

const processes: Limit = {
  option: 'nproc',
  name: 'Max processes',
  holds() {
    const error: NodeJS.ErrnoException | undefined = spawnSync('true').error
    return error?.code === 'EAGAIN'
  },
}

const files: Limit = {
  option: 'nofile',
  name: 'Max open files',
  holds() {
    try {
      closeSync(openSync('/dev/null', 'r'))
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EMFILE'
    }
  },
}

/** Lowers the soft limit to 1, which is less than there are. @returns what raises it again */
function lower({ option, name }: Limit): () => Promise<unknown> {
  const pid = String(process.pid)
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const before = new RegExp(`^${name} +(\\w+)`, 'm').exec(limits)?.[1] ?? 'unlimited'
  const script = 'read _; exec prlimit --pid "$0" "$1"'
  const shell = spawn('sh', ['-c', script, pid, `--${option}=${before}:`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  execFileSync('prlimit', ['--pid', pid, `--${option}=1:`])
  return () => {
    const exit = once(shell, 'exit')
    shell.stdin.end('\n')
    return exit
  }
}

/** Everything is loaded, and no thread is left. */
async function prepare(trial: Trial): Promise<void> {
  const pool = await trial.warm()
  await pool.close()
  // The threads of Node's own pool, which it could not do without.
  await Promise.all([1, 2, 3, 4].map(() => stat('/')))
}

const refused = (limit: Limit, code: string, title: string): Row => ({
  title,
  expected: code,
  asStranger: true,
  async run(trial) {
    await prepare(trial)
    const raise = lower(limit)
    if (!limit.holds()) return notPossible
    trial.begin()
    try {
      const pool = await trial.open()
      return await trial.endOf(pool.enqueue('echo').result)
    } catch (error) {
      return `throws ${wordsOf(error)}`
    } finally {
      await raise()
    }
  },
})

export const limits: readonly Row[] = [
  refused(processes, 'EAGAIN, cause ERR_WORKER_INIT_FAILED', 'no thread to be had (RLIMIT_NPROC)'),
  refused(
    files,
    'EMFILE, cause ERR_WORKER_INIT_FAILED',
    'no file descriptor to be had (RLIMIT_NOFILE)',
  ),
]
