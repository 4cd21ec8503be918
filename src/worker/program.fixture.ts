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
 * Runs an ES module given as text; it must end within 20 seconds.
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
      { timeout: 20_000, ...options, encoding: 'utf8' },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    )
  })
}
