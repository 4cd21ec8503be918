/**
 * What every suite must leave behind: nothing. `checkForLeaks()` at the top of a test file fails
 * the file when, after its last test, one of our workers, a thread of ours, a file descriptor or a
 * pending promise is left.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { after, before } from 'node:test'
import { now } from '../os/clock.js'
import { pendingPromises } from '../os/pending.js'
import { threadsOf } from '../os/proc.js'
import { Worker } from '../os/thread.js'
import { workerRows, table } from './table.js'

/** How many descriptors of each kind are open. */
type Descriptors = ReadonlyMap<string, number>

/** A thread's descriptors are closed a moment after its 'exit' event. */
const settleWithinMs = 10_000

/** Registers the check with the test runner. */
export function checkForLeaks(): void {
  let open: Descriptors = new Map()
  before(async () => {
    await warmUp()
    open = descriptors()
  })
  after(async () => {
    const until = now() + settleWithinMs
    while (leaks(open).length > 0 && now() < until) {
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
    }
    assert.deepEqual(leaks(open), [], 'the suite left something behind')
  })
}

/** Everything of ours that is still there, in words; `open` is what was open to begin with. */
export function leaks(open: Descriptors): string[] {
  const words = table()
  return [
    ...workerRows(words).map((row) => `worker in row ${row}`),
    ...threadsOf()
      .filter((thread) => thread.name.startsWith('uw:'))
      .map((thread) => `thread ${thread.tid} named ${thread.name}`),
    ...[...descriptors()]
      .filter(([kind, count]) => count > (open.get(kind) ?? 0))
      .map(([kind, count]) => `${count - (open.get(kind) ?? 0)} open ${kind}`),
    ...pendingPromises().map((what) => `pending: ${what}`),
  ]
}

/**
 * What Node leaves open when it ends a thread that was just reading it (documented in the guide to
 * `kill`): the modules a thread loads, and its own name. The library opens no module; whether a
 * thread that is ended young is caught in the act is a matter of luck.
 */
const heldByAnEndedThread = /\.[cm]?js$|\/package\.json$|^\/proc\/\d+\/task\/\d+\/comm$/

/** How many descriptors of each kind this process has open now. */
export function descriptors(): Descriptors {
  const counts = new Map<string, number>()
  for (const entry of readdirSync('/proc/self/fd')) {
    let target: string
    try {
      target = readlinkSync(`/proc/self/fd/${entry}`)
    } catch {
      continue // the one that listed the folder
    }
    if (heldByAnEndedThread.test(target)) continue
    const kind = target.replace(/:\[\d+\]$/, '')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** What Node opens once, at the first use of files and of threads, is no leak. */
async function warmUp(): Promise<void> {
  readFileSync('/proc/self/stat')
  await import('node:fs/promises').then((fs) => fs.readFile('/proc/self/stat'))
  await new Promise((resolve) => {
    new Worker('', { eval: true }).once('exit', resolve)
  })
}
