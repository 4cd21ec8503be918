/**
 * The two sides of a freeze, for the protocols that freeze (`stand`, `isFrozen`, `isStanding` in
 * `worker/control.ts`).
 *
 * @module
 */
import type { Model, Value } from '../engine/protocol.js'
import * as memory from '../memory.js'
import type { WorkerCode } from './worker-code.js'

export interface Frozen {
  readonly words: memory.Words
  /** Moves when the worker works. */
  readonly beat: memory.Words
}

const ownerRow = 1
export const workerRow = 2

/** A worker whose function was called, below an owner; and what else was asked of it. */
export function freezing(
  { at, claim, claimOwner, emptyTable, Field, take }: WorkerCode,
  ...asked: readonly 'park'[]
): Frozen {
  const words = emptyTable()
  claim(words, claimOwner(words, 0))
  for (const step of ['loaded', 'start', 'enter', ...asked] as const) {
    take(words, at(workerRow, Field.CONTROL), step)
  }
  return { words, beat: memory.allocate(1) }
}

/** A worker: signal point, work, sleep, until a stop. */
export function worker(real: WorkerCode, { words, beat }: Frozen, model: Model): void {
  const { controlOf, finish, Flag, hasFlag, listen, nap, stand } = real
  const heard = listen(words, workerRow)
  const stood = stand(words, workerRow, () => model.post('told', 'stands'), 'work')
  if (hasFlag(controlOf(words, workerRow), Flag.STOP)) {
    finish(words, workerRow, 7)
    model.post('told', 'gone')
    return
  }
  memory.store(beat, 0, 1 - memory.load(beat, 0))
  if (!stood) nap(words, workerRow, heard, Infinity)
  model.again(null)
}

/**
 * As `freezeBelow`, and `thawBelow` if it is to. It returns whether the worker stood still while its owner knew that it
 * stood.
 */
export function owner(
  real: WorkerCode,
  { words, beat }: Frozen,
  model: Model,
  { round, thaws }: { readonly round: Value; readonly thaws: boolean },
): Value {
  const { ask, controlOf, Flag, hasFlag, isStanding, ring } = real
  if (round === 1) return true
  ask(words, ownerRow, 'freeze')
  ring(words, workerRow)
  while (!isStanding(words, workerRow)) model.receive('told')
  const before = memory.load(beat, 0)
  const moved = memory.load(beat, 0) !== before
  if (moved && !hasFlag(controlOf(words, workerRow), Flag.STOP)) return false
  if (!thaws) return true
  ask(words, ownerRow, 'thaw')
  ring(words, workerRow)
  return model.again(Number(round ?? 0) + 1)
}
