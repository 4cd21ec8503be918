/**
 * `userworker ps`: the workers of a process, or of all processes of this user, as /proc shows them.
 * The processes need not know that they are looked at.
 *
 * @module
 */
import { InvalidArgumentError, type Command } from 'commander'
import { hasProc, processesOf, threadNamePrefix, threadsOf, type ThreadSample } from '../os/proc.js'
import { cpuTime, printable, tableLines, unprintable, type Column } from './terminal/index.js'

/**
 * Adds the command `ps [PID] [--json]`. An unknown PID and a system without /proc end with exit
 * code 2.
 */
export function addPsCommand(program: Command): void {
  program
    .command('ps')
    .summary('list workers')
    .description(
      `Lists the workers of one process, or of all processes of this user: the threads named ${threadNamePrefix}…`,
    )
    .argument('[PID]', 'the process', pidIn)
    .option('--json', 'print a JSON array; cpuMs is the CPU time in milliseconds')
    .action((pid: number | undefined, options: { json?: true }, command: Command) => {
      const fail = (why: string): never => command.error(`error: ${why}`, { exitCode: 2 })
      if (!hasProc())
        fail('this system has no /proc, which shows threads and their names (Linux has)')
      const threads = (pid === undefined ? ourProcesses() : [pid]).map((each) => threadsOf(each))
      if (pid !== undefined && threads.flat().length === 0) fail(`there is no process ${pid}`)
      const workers = threads.flat().filter(isWorker)
      process.stdout.write(`${options.json ? asJson(workers) : asText(workers, pid)}\n`)
    })
}

function pidIn(text: string): number {
  const pid = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(pid) && pid > 0) return pid
  throw new InvalidArgumentError('It must be a positive whole number.')
}

function ourProcesses(): number[] {
  const user = process.geteuid?.()
  return user === undefined ? [] : processesOf(user)
}

/** The first thread of a process is no worker, whatever its name, which `process.title` can set. */
function isWorker(thread: ThreadSample): boolean {
  return thread.tid !== thread.pid && thread.name.startsWith(threadNamePrefix)
}

function asText(workers: ThreadSample[], pid: number | undefined): string {
  if (workers.length === 0) {
    const whose = pid === undefined ? "this user's processes" : `process ${pid}`
    return `no workers: no thread of ${whose} is named ${threadNamePrefix}…`
  }
  const rows = workers.map(({ name, cpuMs, ...rest }) => ({
    ...rest,
    name: printable(name),
    cpu: cpuTime(cpuMs),
  }))
  return tableLines(columns, rows).join('\n')
}

const columns: readonly Column[] = [
  { name: 'pid', title: 'PID', alignment: 'right' },
  { name: 'tid', title: 'TID', alignment: 'right' },
  { name: 'name', title: 'NAME', alignment: 'left' },
  { name: 'state', title: 'STATE', alignment: 'left' },
  { name: 'nice', title: 'NICE', alignment: 'right' },
  { name: 'cpu', title: 'CPU', alignment: 'right' },
]

/** The names stay exact here: what a terminal would act on is escaped as JSON can. */
function asJson(workers: ThreadSample[]): string {
  return JSON.stringify(workers).replace(unprintable, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
