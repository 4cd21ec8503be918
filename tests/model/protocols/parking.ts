/**
 * The two sides of a park, for the protocols that park (`askToPark`, `stand` in `worker/control.ts`).
 *
 * @module
 */
import type { Model, Value } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { oneWorker, row, type WorkerCode } from './worker-code.js'

export interface Parking {
  readonly words: memory.Words
  /** Moves when the worker works. */
  readonly beat: memory.Words
}

/** A worker whose function was called. */
export function parking(real: WorkerCode): Parking {
  return { words: oneWorker(real, 'loaded', 'start', 'enter'), beat: memory.allocate(1) }
}

/** A worker: signal point, work, sleep, until a stop. */
export function worker(real: WorkerCode, { words, beat }: Parking, model: Model): void {
  const { controlOf, finish, Flag, hasFlag, listen, nap, stand } = real
  const heard = listen(words, row)
  if (hasFlag(controlOf(words, row), Flag.STOP)) {
    finish(words, row, 7)
    model.post('told', 'gone')
    return
  }
  const stood = stand(words, row, () => model.post('told', 'parked'), 'work')
  memory.store(beat, 0, 1 - memory.load(beat, 0))
  if (!stood) nap(words, row, heard, Infinity)
  model.again(null)
}

/**
 * An owner that parks the worker and lets it go, `rounds` times. It returns whether the worker stood still while its
 * owner knew that it stood.
 */
export function owner(
  real: WorkerCode,
  { words, beat }: Parking,
  model: Model,
  { round, rounds }: { readonly round: Value; readonly rounds: number },
): Value {
  const { ask, controlOf, Flag, hasFlag } = real
  if (round === rounds) return true
  if (parked(real, words, model)) {
    const before = memory.load(beat, 0)
    const moved = memory.load(beat, 0) !== before
    // Let go by a stop it may have moved between the two.
    if (moved && !hasFlag(controlOf(words, row), Flag.STOP)) return false
  }
  ask(words, row, 'unpark')
  return model.again(Number(round ?? 0) + 1)
}

/** As `park` of `life.ts`: true once the thread stands still. */
function parked({ askToPark, isParked }: WorkerCode, words: memory.Words, model: Model): boolean {
  const outcome = askToPark(words, row)
  if (outcome !== 'asked') return outcome === 'parked'
  for (;;) {
    if (model.receive('told') === 'gone') return false
    // The message may be of the round before.
    if (isParked(words, row)) return true
  }
}
