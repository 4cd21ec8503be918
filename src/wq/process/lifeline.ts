/**
 * A child never outlives its thread: it holds one end of a pipe, its thread the other, and when that
 * is closed, however the thread ended, the child ends itself.
 *
 * A thread of the child's watches, because the child's own event loop may never turn again; it is
 * nearly all of Node's time to make one, and costs nothing after that.
 *
 * The child's main thread stands still by it: a byte to the thread says that it does, and one from
 * there lets it go on. A child that stands can thus end like any other one.
 *
 * @module
 */
import * as memory from '#memory'
import { Worker } from '../../os/thread.js'

/** The child's end of the pipe. */
export const lifelineFd = 4

/** What lets a child go on that stands. */
export const mayGoOn: Uint8Array = Uint8Array.of(1)

/** Plain text: so it needs no file, and loads nothing of the library, not even its door to memory. */
const watch = `'use strict'
const { Socket } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
const end = () => process.kill(process.pid, 'SIGKILL')
const lifeline = new Socket({ fd: ${lifelineFd} }).on('error', end).on('close', end)
lifeline.on('data', () => {
  Atomics.add(workerData, 0, 1)
  Atomics.notify(workerData, 0)
})
parentPort.on('message', () => lifeline.write(Uint8Array.of(1)))`

/** How often the thread has let the child go on. */
const gone = memory.allocate(1)
let watcher: Worker | null = null

/** Begins to watch. */
export function watchLifeline(): void {
  // No preloads of the user's in it, nor other options, and a heap that its few objects need.
  const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 }
  const options = { eval: true, env: {}, execArgv: [], name: 'lifeline', resourceLimits }
  watcher = new Worker(watch, { ...options, workerData: gone })
  watcher.unref()
}

/** Stands still until the thread lets it go on. */
export function stand(): void {
  const before = memory.load(gone, 0)
  // Nobody lets it go on before it was told.
  watcher?.postMessage(null)
  // Waker: the byte that follows on that.
  memory.wait(gone, 0, before, Infinity)
}
