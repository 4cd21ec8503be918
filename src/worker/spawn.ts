/**
 * Making the thread of a worker, and what comes of it when that is refused.
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { Worker, type MessagePort } from '../os/thread.js'
import { asError } from './error-report.js'
import { notMade } from './exit.js'
import type { CheckedOptions } from './options.js'
import type { Boot } from './protocol.js'

const entry = new URL('./entry.js', import.meta.url)

/** Makes the thread. It throws what Node throws. */
export function spawn(
  { name, module, data, nice, transfer, thread }: CheckedOptions,
  row: number,
  port: MessagePort,
): Worker {
  const boot: Boot = { port, row, name, module, data, nice }
  return new Worker(entry, { ...thread, name, workerData: boot, transferList: [port, ...transfer] })
}

/**
 * The error for what Node threw instead of making a thread. Node names its own refusals `ERR_…`;
 * what else comes out of making a thread came out of cloning.
 */
export function creationFailure(name: string, thrown: unknown): Error {
  const cause = asError(thrown) as Error & { code?: unknown }
  if (cause.code === 'ERR_WORKER_INIT_FAILED') return notMade(name, cause)
  if (typeof cause.code === 'string' && cause.code.startsWith('ERR_')) {
    const refusal = invalid(`Node refused the options of worker '${name}': ${cause.message}`)
    return Object.assign(refusal, { cause })
  }
  const text = `The data of worker '${name}' cannot be sent to a thread: ${cause.message}`
  return new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
}
