/**
 * Which edges of the state tables are taken: seen at the shared words.
 *
 * @module
 */
import { slotOf, slots, slotsIn } from '../../../../src/ring/layout.js'
import { Kind, kindOf } from '../../../../src/ring/slot.js'
import { Flag, State, stateOf } from '../../../../src/worker/state.js'
import { at, emptyTable, Field } from '../../../../src/worker/table.js'

type Words = Int32Array<SharedArrayBuffer>

const tableLength = emptyTable().length
const rowWords = at(1, 0)
const slotWords = slotOf(1) - slotOf(0)

/** The flags that queues use, beside the state of a worker. */
const flags = Object.entries(Flag).filter(([name]) => name !== 'PARK')

/** The edges that a change of a shared word is; most words have none. */
export function edgesOf(
  words: Words,
  index: number,
  before: number,
  after: number,
  isStore: boolean,
): string[] {
  if (words.length === tableLength) {
    return index % rowWords === Field.CONTROL && index >= rowWords
      ? ofControl(before, after, isStore)
      : []
  }
  if (words.length < slotOf(0) || slotsIn(words) !== slots) return []
  const place = index - slotOf(0)
  return place >= 0 && place % slotWords === 0 ? ofSlot(before, after) : []
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value)
}

/** A row that is given back is zero, and so is the word of a thread that boots. */
function ofControl(before: number, after: number, isStore: boolean): string[] {
  if (isStore && after === 0) return [`worker ${nameOf(State, stateOf(before))} → gone`]
  const edges: string[] = []
  const [from, to] = [stateOf(before), stateOf(after)]
  if (from !== to) edges.push(`worker ${nameOf(State, from)} → ${nameOf(State, to)}`)
  for (const [name, flag] of flags) {
    if (((before ^ after) & flag) !== 0)
      edges.push(`worker ${(after & flag) === 0 ? '-' : '+'}${name}`)
  }
  return edges
}

function ofSlot(before: number, after: number): string[] {
  const [from, to] = [kindOf(before), kindOf(after)]
  return [`slot ${nameOf(Kind, from)} → ${nameOf(Kind, to)}`]
}
