/**
 * Threads of this process that stand somewhere, for tests to look at.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { now } from './clock.js'
import { standingOf } from './standing.js'
import { Worker } from './thread.js'

/** A loaded machine runs every thread within a few milliseconds; a minute is a hang. */
const patienceMs = 60_000

/**
 * Starts a thread that runs `code` once it has told its number. It is ended with the test.
 *
 * @returns the number
 */
export function startOwnThread(test: TestContext, code: string, data?: unknown): Promise<number> {
  const telling = `const { parentPort, workerData } = require('node:worker_threads')
    const path = require('node:fs').readlinkSync('/proc/thread-self')
    parentPort.postMessage(Number(path.split('/').at(-1)))
    ${code}`
  const worker = new Worker(telling, { eval: true, workerData: data })
  test.after(() => worker.terminate())
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = now() + patienceMs
  while (!isSo()) {
    assert.ok(now() < end, what)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

/** Whether a thread sleeps in its event loop; where its system call has no name, whether it sleeps. */
export function isIdle(tid: number | null): boolean {
  return /^sleeping( in (epoll|system call)|$)/.test(standingOf(tid ?? 0) ?? '')
}
