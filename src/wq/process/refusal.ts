/**
 * Works that a child process cannot have.
 *
 * @module
 */
import { UserWorkerError } from '../../errors.js'
import type { QueuedWork } from '../work.js'
import { notCarried, whatIsShared } from './values.js'

/** Why a work cannot go to a child process, as far as its arguments are captured; null: it can. */
export function refusalToCarry(
  work: QueuedWork,
  transfer: readonly unknown[],
): UserWorkerError | null {
  if (transfer.length > 0) {
    const text =
      `'${work.name}' has a transfer list, and nothing can be moved to a queue with isolation: ` +
      "'process': leave the list out, and the arguments are copied, or use threads"
    return new UserWorkerError('ENOTSUP', text)
  }
  const { captured } = work
  if (captured === null) return null
  const where = `An argument of '${work.name}'`
  if ((captured.buffers?.length ?? 0) > 0) return notCarried(where, 'a SharedArrayBuffer')
  const shared = captured.message === null ? null : whatIsShared(captured.message.args)
  return shared === null ? null : notCarried(where, shared)
}
