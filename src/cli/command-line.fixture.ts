/**
 * Runs the command line for tests, as a process of its own.
 *
 * @module
 */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The file that `userworker` runs. */
export const mainFile: string = fileURLToPath(new URL('main.js', import.meta.url))

/** What a command left behind. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `userworker` with these arguments to its end. */
export function userworker(args: string[], options: SpawnSyncOptions = {}): Ended {
  return run(process.execPath, [mainFile, ...args], options)
}

/** Runs a program to its end. */
export function run(program: string, args: string[], options: SpawnSyncOptions = {}): Ended {
  const ended = spawnSync(program, args, { ...options, encoding: 'utf8' })
  return { code: ended.status, stdout: ended.stdout ?? '', stderr: ended.stderr ?? '' }
}
