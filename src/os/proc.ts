/**
 * The door to threads and processes as the system sees them: /proc, and the nice value.
 *
 * What is not there is `null`, an empty list or an outcome, never an exception: threads end while
 * they are looked at, and other systems have no /proc. Functions that read /proc take as their last
 * argument the folder in which the system's tree begins, `/` by default.
 *
 * @module
 */
import { join } from 'node:path'
import { linkOf, numbersIn, ownerOf, systemRoot, textOf } from './pseudo-file.js'
import { builtin } from './builtin.js'

const { writeFileSync } = builtin('node:fs')

/** What the names of our threads begin with, as `ps -T`, `top -H` and `perf` show them (UW-10). */
export const threadNamePrefix = 'uw:'

/** What a thread is doing: the states of proc_pid_stat(5) in words. */
export type ThreadState =
  | 'running'
  | 'sleeping'
  | 'disk-sleep'
  | 'stopped'
  | 'traced'
  | 'zombie'
  | 'dead'
  | 'idle'
  | 'unknown'

/** A thread at one moment. */
export interface ThreadSample {
  /** The process. */
  pid: number
  /**
   * The thread, as the system numbers it; the first thread of a process has the number of the
   * process.
   */
  tid: number
  /**
   * Its name, at most 15 bytes. It may hold any character: show it on a terminal only after
   * cleaning.
   */
  name: string
  state: ThreadState
  /** From -20 (most of the CPU) to 19 (least). */
  nice: number
  /** CPU time used so far, user and system, in milliseconds; up to one tick of the system late. */
  cpuMs: number
}

/** What came of {@link setNice}. */
export type NiceOutcome = 'set' | 'refused' | 'not-found' | 'unsupported'

const longestNameBytes = 15 // TASK_COMM_LEN is 16, with the closing NUL: PR_SET_NAME in prctl(2)
const tickMs = 10 // /proc counts CPU time at 100 Hz (USER_HZ) whatever the kernel's own tick: time(7)

const hasThreadPriorities = process.platform === 'linux' || process.platform === 'android'

const states: ReadonlyMap<string, ThreadState> = new Map([
  ['R', 'running'],
  ['S', 'sleeping'],
  ['D', 'disk-sleep'],
  ['T', 'stopped'],
  ['t', 'traced'],
  ['Z', 'zombie'],
  ['X', 'dead'],
  ['x', 'dead'],
  ['I', 'idle'],
])

/** Whether this system has a /proc that shows processes. */
export function hasProc(root: string = systemRoot): boolean {
  return textOf('proc/self/stat', root) !== null
}

/**
 * The number the system gives to the calling thread; `gettid(2)`.
 *
 * @returns `null` without /proc, and where /proc numbers processes otherwise than we do (it belongs
 * to another PID namespace), because such a number would name a stranger.
 */
export function osThreadId(root: string = systemRoot): number | null {
  const [, pid, tid] = /^(\d+)\/task\/(\d+)$/.exec(linkOf('proc/thread-self', root) ?? '') ?? []
  return Number(pid) === process.pid ? Number(tid) : null
}

/**
 * The name a thread of ours bears: `uw:<name>`, cut to the 15 bytes the system keeps, never inside
 * a character. Control characters become `?` (UW-10).
 */
export function visibleName(name: string): string {
  return fitting(`${threadNamePrefix}${name}`)
}

/**
 * Names a thread of this process, as `ps -T`, `top -H` and `perf` show it; `/proc/PID/comm`,
 * proc_pid_comm(5). A thread it makes later bears the same name until it gets its own. The system
 * lets every thread of a process name every other one.
 *
 * @param tid - as {@link osThreadId} gives it; 0 is the calling thread
 * @param name - not empty; cut and cleaned as by {@link visibleName}, which gives the names of our
 * threads
 * @returns whether the thread has the name now; false if there is no such thread, or no /proc
 */
export function setThreadName(tid: number, name: string, root: string = systemRoot): boolean {
  const thread = tid === 0 ? 'thread-self' : `self/task/${tid}`
  try {
    writeFileSync(join(root, 'proc', thread, 'comm'), fitting(name), { flag: 'r+' })
    return true
  } catch {
    return false
  }
}

function fitting(name: string): string {
  const bytes = Buffer.from(name.replace(/\p{Cc}/gu, '?'))
  let length = Math.min(bytes.length, longestNameBytes)
  while (isInsideCharacter(bytes[length])) length--
  return bytes.toString('utf8', 0, length)
}

/** In UTF-8 every byte of a character but its first is 10xxxxxx. */
function isInsideCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/**
 * What a thread is doing and has used; proc_pid_stat(5).
 *
 * @returns `null` if there is no such thread, or no /proc
 */
export function sampleThread(
  tid: number,
  pid: number = process.pid,
  root: string = systemRoot,
): ThreadSample | null {
  const folder = `proc/${pid}/task/${tid}`
  const stat = textOf(`${folder}/stat`, root)
  if (stat === null) return null
  // The name stands in parentheses and may itself hold spaces, parentheses and line ends.
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat
    .slice(nameEnd + 1)
    .trim()
    .split(' ')
  // proc_pid_stat(5) counts from 1 and the name is its second field: `fields[0]` is its third.
  const field = (number: number): number => Number(fields[number - 3])
  if (nameEnd < 0 || Number.isNaN(field(19))) return null
  return {
    pid,
    tid,
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    state: states.get(fields[0] ?? '') ?? 'unknown',
    nice: field(19),
    cpuMs: nanosecondsOnCpu(folder, root) / 1e6 || (field(14) + field(15)) * tickMs,
  }
}

/** 0 on a kernel that does not count them. */
function nanosecondsOnCpu(folder: string, root: string): number {
  return Number(/^\d+/.exec(textOf(`${folder}/schedstat`, root) ?? '')?.[0] ?? 0)
}

/**
 * All threads of a process, in the order of their numbers.
 *
 * @returns an empty list if there is no such process (the number of a thread that is not its
 * process's first names none), if this user may not see it (`hidepid`, proc(5)), or without /proc
 */
export function threadsOf(pid: number = process.pid, root: string = systemRoot): ThreadSample[] {
  // /proc/TID exists for every thread and then shows the whole process: only Tgid tells.
  const leader = /^Tgid:\s*(\d+)$/m.exec(textOf(`proc/${pid}/status`, root) ?? '')?.[1]
  if (Number(leader) !== pid) return []
  return numbersIn(`proc/${pid}/task`, root)
    .map((tid) => sampleThread(tid, pid, root))
    .filter((thread) => thread !== null)
}

/**
 * The processes of a user, in the order of their numbers.
 *
 * @param uid - an effective user id. A process that may not be inspected (it changed its user, or
 * asked for it: PR_SET_DUMPABLE in prctl(2)) counts as one of user 0.
 * @returns an empty list without /proc
 */
export function processesOf(uid: number, root: string = systemRoot): number[] {
  return numbersIn('proc', root).filter((pid) => ownerOf(`proc/${pid}`, root) === uid)
}

/**
 * The nice value of a thread: from -20 (most of the CPU) to 19 (least); getpriority(2).
 *
 * @param tid - as {@link osThreadId} gives it; 0 is the calling thread
 * @returns `null` if there is no such thread, or where only processes have one (not Linux)
 */
export function nice(tid: number): number | null {
  if (!hasThreadPriorities) return null
  try {
    return builtin('node:os').getPriority(tid)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return null
    throw error
  }
}

/**
 * Sets the nice value of one thread; setpriority(2). Threads it makes later begin with the same
 * value. Unprivileged users can only raise it (as far as RLIMIT_NICE, getrlimit(2), does not say
 * otherwise).
 *
 * @param tid - as {@link osThreadId} gives it; 0 is the calling thread
 * @param value - from -20 (most of the CPU) to 19 (least)
 * @returns `refused` without the privilege, `not-found` if there is no such thread, `unsupported`
 * where only processes have a nice value (not Linux)
 * @throws RangeError with code `ERR_OUT_OF_RANGE` if `value` is not a whole number from -20 to 19
 */
export function setNice(tid: number, value: number): NiceOutcome {
  if (!hasThreadPriorities) return 'unsupported'
  try {
    builtin('node:os').setPriority(tid, value)
    return 'set'
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EACCES' || code === 'EPERM') return 'refused'
    if (code === 'ESRCH') return 'not-found'
    throw error
  }
}

/**
 * The name of the system's error, such as `ESRCH`: `node:os` puts it into `info`, not into `code`.
 */
function systemCode(error: unknown): unknown {
  const info = error instanceof Error && 'info' in error ? error.info : null
  return typeof info === 'object' && info !== null && 'code' in info ? info.code : null
}
