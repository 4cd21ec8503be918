/**
 * The objects that the writing of a list has met, and in which order.
 *
 * @module
 */
import { clearMap, getFromMap, setInMap } from './builtins.js'

/** So few are found quicker by comparing each than by hash. */
const mostCompared = 24
// Filled beforehand: an element that is there is set whatever the prototype of arrays has.
const first: (object | null)[] = Array.from({ length: mostCompared }, () => null)
const more = new Map<object | string, number>()
let count = 0

/** What `meet` gives for an object that it has not met. */
export const isNew = -1

/** Begins a list. */
export function beginMeeting(): void {
  if (count > 0) endMeeting()
}

/** Forgets all objects, so that they can be collected. */
export function endMeeting(): void {
  for (let index = 0; index < count && index < mostCompared; index++) first[index] = null
  if (count > mostCompared) clearMap(more)
  count = 0
}

/** Which object it was among those met, from zero; `isNew` if it is the next one. */
export function meet(value: object): number {
  const compared = count < mostCompared ? count : mostCompared
  for (let index = 0; index < compared; index++) if (first[index] === value) return index
  if (count < mostCompared) first[count] = value
  else {
    const place = getFromMap(more, value)
    if (place !== undefined) return place
    setInMap(more, value, count)
  }
  count++
  return isNew
}
