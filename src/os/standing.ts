/**
 * Where a thread stands. Apart from `proc.ts`, which every worker's thread loads.
 *
 * @module
 */
import { sampleThread } from './proc.js'
import { systemRoot, textOf } from './pseudo-file.js'
import { systemCallName } from './system-calls.js'

/**
 * Where a thread stands, in words: `running`, or `sleeping in futex`, with the name of the system
 * call; proc_pid_syscall(5). Where the system does not tell the call (it is for the same process,
 * and for debuggers), and for threads that are in none, the state alone, such as `stopped`.
 *
 * @returns `null` if there is no such thread, or no /proc
 */
export function standingOf(
  tid: number,
  pid: number = process.pid,
  root: string = systemRoot,
): string | null {
  const state = sampleThread(tid, pid, root)?.state ?? null
  if (state !== 'sleeping' && state !== 'disk-sleep') return state
  // `running`, or the number and the arguments; -1 is none, as while a page is fetched from a disk.
  const call = textOf(`proc/${pid}/task/${tid}/syscall`, root)
  if (call?.startsWith('running')) return 'running'
  const number = /^\d+/.exec(call ?? '')?.[0]
  return number === undefined ? state : `${state} in ${systemCallName(Number(number))}`
}
