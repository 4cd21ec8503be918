/**
 * The CPU time of another process.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second, whatever its own clock. */
const tickUs = 10_000

/** What a process has used in all its threads, in microseconds. */
export function cpuUsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold anything; utime and stime are the 14th and 15th field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickUs
}
