/**
 * A child never outlives its thread: it holds one end of a pipe, its thread the other, and when that
 * is closed, however the thread ended, the child ends itself.
 *
 * A thread of the child's watches, because the child's own event loop may never turn again; it is
 * nearly all of Node's time to make one, and costs nothing after that.
 *
 * @module
 */
import { Worker } from '../../os/thread.js'

/** The child's end of the pipe. */
export const lifelineFd = 4

/** Plain text: so it needs no file, and loads nothing of the library. */
const watch = `'use strict'
const { Socket } = require('node:net')
const end = () => process.kill(process.pid, 'SIGKILL')
new Socket({ fd: ${lifelineFd} }).on('error', end).on('close', end).resume()`

/** Begins to watch. */
export function watchLifeline(): void {
  // No preloads of the user's in it, nor other options, and a heap that its few objects need.
  const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 }
  new Worker(watch, { eval: true, env: {}, execArgv: [], name: 'lifeline', resourceLimits }).unref()
}
