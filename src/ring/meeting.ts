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
  if (count > mostCompared) clearMap(more)
  else for (let index = 0; index < count; index++) first[index] = null
  count = 0
}

/** Which object it was among those met, from zero; `isNew` if it is the next one. */
export function meet(value: object): number {
  if (count > mostCompared) {
    const place = getFromMap(more, value)
    if (place !== undefined) return place
    setInMap(more, value, count)
  } else {
    for (let index = 0; index < count; index++) if (first[index] === value) return index
    if (count === mostCompared) hashAll(value)
    else first[count] = value
  }
  count++
  return isNew
}

/** From one more object on, all are found by hash. */
function hashAll(oneMore: object): void {
  for (let index = 0; index < mostCompared; index++) {
    setInMap(more, first[index], index)
    first[index] = null
  }
  setInMap(more, oneMore, mostCompared)
}
