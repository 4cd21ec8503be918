/**
 * Who waits and who runs, exactly: it looks at every work of a class. For the few cases in which
 * the number of runnable works does not say enough.
 *
 * @module
 */
import { Kind, kindOf, seatOf, stateOf } from '../ring/index.js'
import type { Lane } from './lane.js'

export interface Census {
  /** Works that no worker has claimed, and that any could have. */
  readonly pending: number
  /** Those of them that wait for a running worker rather than be given a new one (WQ-15). */
  readonly patient: number
  /** How many works each seat's worker has. */
  readonly claimed: ReadonlyMap<number, number>
}

export function censusOf(lane: Lane): Census {
  let [pending, patient] = [0, 0]
  const claimed = new Map<number, number>()
  for (const work of lane.inSlots()) {
    const state = stateOf(lane.memory.words, work.slot)
    const seat = seatOf(state)
    if (kindOf(state) === Kind.CLAIMED) claimed.set(seat, (claimed.get(seat) ?? 0) + 1)
    if (kindOf(state) !== Kind.READY) continue
    pending++
    if (work.extras?.concurrent === false) patient++
  }
  for (const work of lane.backlog()) {
    pending++
    if (work.extras?.concurrent === false) patient++
  }
  return { pending, patient, claimed }
}
