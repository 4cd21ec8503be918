/**
 * Programs for tests, each run in a process of its own.
 *
 * @module
 */
import { execFile, type ExecFileOptions } from 'node:child_process'

/** How a program ended. */
export interface End {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs an ES module given as text; it must end within a minute.
 *
 * @param under - a command that runs the one behind it, such as `taskset`, with its arguments
 */
export function runProgram(
  text: string,
  options: ExecFileOptions = {},
  under: readonly string[] = [],
): Promise<End> {
  const [file, ...args] = [...under, process.execPath, '--input-type=module', '-e', text]
  return new Promise((resolve) => {
    const child = execFile(
      file ?? process.execPath,
      args,
      { timeout: 60_000, ...options, encoding: 'utf8' },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    )
  })
}

/**
 * A user that no other process runs as, not even one of these tests at the same time: the system
 * counts all the threads of a user.
 */
export const stranger: { readonly uid: number; readonly gid: number } = {
  uid: 60_000 + (process.pid % 5000),
  gid: 60_000 + (process.pid % 5000),
}

/**
 * A statement for programs: waits until the threads of workers that have ended are gone for the
 * system too, which is a moment after their 'exit'.
 */
export const untilGone = `{
  const { readdirSync, readFileSync } = await import('node:fs')
  const isOurs = (tid) => {
    try { return readFileSync('/proc/self/task/' + tid + '/comm', 'utf8').startsWith('uw:') } catch { return false }
  }
  while (readdirSync('/proc/self/task').some(isOurs)) await new Promise((resolve) => setTimeout(resolve, 2))
}`
