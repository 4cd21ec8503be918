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
  const { captured, carried } = work
  const numbered = carried?.context?.items
  const ofContext = numbered === undefined ? null : refusalOfContext(numbered)
  if (captured === null || ofContext !== null) return ofContext
  const shared =
    (captured.buffers?.length ?? 0) > 0
      ? 'a SharedArrayBuffer'
      : captured.message && whatIsShared(captured.message.args)
  if (shared === null) return null
  // Both are captured as one list.
  return (
    refusalOfValues(carried?.values ?? []) ?? notCarried(`An argument of '${work.name}'`, shared)
  )
}

/** Contexts that were found to hold nothing of the kind: they never change. */
const harmless = new WeakSet<readonly unknown[]>()

function refusalOfContext(items: readonly unknown[]): UserWorkerError | null {
  if (harmless.has(items)) return null
  const refusal = refusalOf(items)
  if (refusal === null) harmless.add(items)
  return refusal
}

/** Null also where they cannot be cloned any more. */
function refusalOfValues(values: readonly unknown[]): UserWorkerError | null {
  try {
    return refusalOf(structuredClone(values))
  } catch {
    return null
  }
}

/**
 * Why a child process cannot have what carriers captured; null: it can.
 *
 * @param items - clones: names and values in turns
 */
export function refusalOf(items: readonly unknown[]): UserWorkerError | null {
  for (let index = 0; index < items.length; index += 2) {
    const shared = whatIsShared(items[index + 1])
    const where = `What the carrier '${String(items[index])}' captured`
    if (shared !== null) return notCarried(where, shared)
  }
  return null
}
