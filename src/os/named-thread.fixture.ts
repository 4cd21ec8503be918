/**
 * A process with one thread of a given name, for tests to look at from outside.
 *
 * `node named-thread.fixture.js <name> [raw]`: prints the thread's number, then lives until its
 * standard input ends, so that it cannot outlive the test. With `raw` the name is written as it is.
 *
 * @module
 */
import { writeFileSync, writeSync } from 'node:fs'
import { keepAlive } from './clock.js'
import { osThreadId, setThreadName } from './proc.js'
import { isMainThread, Worker } from './thread.js'

const [, , name = '', how] = process.argv

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
  worker.unref()
  process.stdin.resume()
  process.stdin.on('end', () => process.exit())
} else {
  if (how === 'raw') writeFileSync('/proc/thread-self/comm', name)
  else setThreadName(0, name)
  keepAlive()
  writeSync(1, `${osThreadId()}\n`)
}
