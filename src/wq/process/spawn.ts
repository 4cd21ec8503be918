/**
 * Makes the child process of a worker's thread.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { builtin } from '../../os/builtin.js'
import type { ChildPlan } from '../protocol.js'
import { lifelineFd } from './lifeline.js'

/** The child's end of the socket with the messages. */
export const channelFd = 3

/** A child process, and the thread's ends of what leads there. */
export interface Spawned {
  readonly child: ChildProcess
  readonly channel: Socket
  readonly lifeline: Socket
  /** Null: it is the parent's own. */
  readonly stdout: Readable | null
  readonly stderr: Readable
}

/**
 * Options of Node that are the parent's alone: two processes cannot listen on one port.
 */
const ofTheParent = /^--inspect/

/**
 * @param plan - whose options of Node stand beside those of this thread
 * @throws what `spawn` throws; other refusals come as the child's 'error' event
 */
export function spawnChild({ flags, stdout }: ChildPlan): Spawned {
  const { fileURLToPath } = builtin('node:url')
  const file = fileURLToPath(new URL('./child.js', import.meta.url))
  const own = process.execArgv.filter((option) => !ofTheParent.test(option))
  const args = [...own, ...flags, file, ...process.argv.slice(2)]
  const child = builtin('node:child_process').spawn(process.execPath, args, {
    env: process.env,
    // Through this thread goes only what is captured, or looked at here: see `LastWords`.
    stdio: ['ignore', stdout ? 'pipe' : 'inherit', 'pipe', 'pipe', 'pipe'],
  })
  if ((child.stdio as unknown) === undefined) throw outOfDescriptors(child)
  const { [channelFd]: channel, [lifelineFd]: lifeline } = child.stdio
  // Its end is told by its exit.
  for (const stream of [lifeline, child.stdout, child.stderr]) stream?.on('error', () => {})
  return {
    child,
    channel: channel as Socket,
    lifeline: lifeline as Socket,
    stdout: child.stdout,
    stderr: child.stderr as Readable,
  }
}

/** Without descriptors Node gives no streams, and an 'error' event, which nobody else is to hear. */
function outOfDescriptors(child: ChildProcess): Error {
  child.on('error', () => {})
  return Object.assign(new Error('the process has no file descriptor left'), { code: 'EMFILE' })
}
