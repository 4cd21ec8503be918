/**
 * The door to threads: the only file of the library that imports `node:worker_threads`.
 *
 * @module
 */
import { receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads'
import { builtin } from './builtin.js'

export {
  getEnvironmentData,
  isMainThread,
  MessageChannel,
  MessagePort,
  setEnvironmentData,
  SHARE_ENV,
  threadId,
  Worker,
  workerData,
} from 'node:worker_threads'
export type { TransferListItem, WorkerOptions } from 'node:worker_threads'

/**
 * More messages that cannot be read than this are not skipped: they would be one that comes again.
 */
const mostUnreadable = 1000

/**
 * Hears what was posted to a port and not yet delivered, now. To be used once the other side is
 * gone. A message that cannot be read is only reported.
 */
export function drain(
  port: MessagePort,
  hear: (message: unknown) => void,
  unreadable: (cause: unknown) => void = () => {},
): void {
  for (let skipped = 0; skipped < mostUnreadable;) {
    let rest: { message: unknown } | undefined
    try {
      rest = receiveMessageOnPort(port)
    } catch (cause) {
      skipped++
      unreadable(cause)
      continue
    }
    if (rest === undefined) return
    hear(rest.message)
  }
}

/**
 * The first message that waits in a port, taken out now; undefined where there is none, or no port.
 */
export function receiveNow(port: unknown): unknown {
  try {
    return receiveMessageOnPort(port as MessagePort)?.message
  } catch {
    return undefined
  }
}

/** A message that waits in a port, taken out now. */
export type Received = { readonly message: unknown } | { readonly unreadable: unknown }

/**
 * The first message that waits in a port, taken out now, or why it cannot be read; null where none
 * waits.
 */
export function receiveNext(port: MessagePort): Received | null {
  try {
    return receiveMessageOnPort(port) ?? null
  } catch (unreadable) {
    return { unreadable }
  }
}

/** Calls `listener` for each thread that this thread makes from now on, whoever's code makes it. */
export function onThread(listener: (thread: Worker) => void): void {
  process.on('worker', listener)
}

let hasThreadPool = false

/**
 * Has Node start the threads that its files and look-ups run on, unless they run. To be called before
 * threads are made: where they have used up what the system gives, Node aborts the process when it
 * cannot start these (measured on Node 24 and 26).
 */
export function startThreadPool(): void {
  if (hasThreadPool) return
  hasThreadPool = true
  // The first operation starts all of them; this one never goes by io_uring.
  builtin('node:fs').access('/', () => {})
}
