/**
 * The library's code that the protocols of the rings run, their shared words, and who holds which of these.
 *
 * @module
 */
import type { Code, Complaint, PlainAccess } from '../engine/protocol.js'
import * as memory from '../memory.js'

/** The modules that protocols of the rings run, in one object. */
export type RingCode = Awaited<ReturnType<typeof ringCode>>

export async function ringCode(code: Code) {
  return {
    ...((await code('ring/layout.js')) as typeof import('../../../src/ring/layout.js')),
    ...((await code('ring/index.js')) as typeof import('../../../src/ring/index.js')),
    ...((await code('wq/lane.js')) as typeof import('../../../src/wq/lane.js')),
    ...((await code('wq/keys.js')) as typeof import('../../../src/wq/keys.js')),
    ...((await code('wq/ends.js')) as typeof import('../../../src/wq/ends.js')),
    ...((await code('wq/work.js')) as typeof import('../../../src/wq/work.js')),
    ...((await code('wq/running.js')) as typeof import('../../../src/wq/running.js')),
    ...((await code('wq/serving.js')) as typeof import('../../../src/wq/serving.js')),
  }
}

/** The words that all threads of a queue share. */
export interface Rings {
  /** Of the class of works. */
  readonly words: memory.Words
  /** Of the owner. */
  readonly owner: memory.Words
  /** Completions of each seat. */
  readonly completions: readonly memory.Words[]
  /** No code's: how often each seat has called the handler of each work. */
  readonly calls: memory.Words
}

/** Works have numbers below this. */
const mostWorks = 8

/** The index of how often a seat has called the handler of a work. */
export const callsOf = (seat: number, id: number): number => seat * mostWorks + id

/** How often the handler of a work was called. */
export function callsIn({ calls }: Rings, id: number): number {
  let count = 0
  for (let at = id; at < calls.length; at += mostWorks) count += memory.load(calls, at)
  return count
}

/** A queue of few works needs few slots: its memory is made anew with each step of its thread. */
const slots = 8

/** New words for workers with these names, by their seats. */
export function ringsOf(
  { allocateClass, allocateCompletions, allocateOwner }: RingCode,
  seats: readonly string[],
): Rings {
  return {
    words: allocateClass(slots).words,
    owner: allocateOwner(),
    completions: seats.map(() => allocateCompletions()),
    calls: memory.allocate(seats.length * mostWorks),
  }
}

/** Where a completion ring's words are: `completion.ts` keeps that to itself. */
const completion = { TAIL: 0, first: 32 }

/** What of the protocol all judgements need: `seats` has the names of the workers' threads. */
interface Told {
  readonly holds: (access: PlainAccess, rings: Rings) => Complaint
  readonly isTime: (index: number, rings: Rings, words: memory.Words) => boolean
  readonly wordName: (index: number, rings: Rings, words: memory.Words) => string
}

/** Who holds which words, and what they are called. */
export function ringWords(real: RingCode, seats: readonly string[]): Told {
  const { Slot, slotOf } = real
  const lineOfSlot = slotOf(1) - slotOf(0)
  return {
    holds(access, rings) {
      const ring = rings.completions.indexOf(access.words)
      if (ring >= 0) return holdsEntry(access, seats[ring] ?? 'owner')
      if (access.words !== rings.words) return 'nobody uses it past the door'
      if (access.index < slotOf(0)) return holdsCell(real, access)
      const slot = Math.floor((access.index - slotOf(0)) / lineOfSlot)
      return holdsSlot(real, access, slot, seats)
    },
    isTime(index, rings, words) {
      const field = (index - slotOf(0)) % lineOfSlot
      return words === rings.words && (field === Slot.BEGAN || field === Slot.ENDED)
    },
    wordName(index, rings, words) {
      const ring = rings.completions.indexOf(words)
      if (ring >= 0) return `completions of ${seats[ring] ?? 'owner'} ${entryName(index)}`
      if (words === rings.owner) return 'WAITING'
      if (words === rings.calls) return `calls of work ${index % mostWorks}`
      return words === rings.words ? classWordName(real, index) : `word ${index}`
    },
  }
}

/** A worker writes entries behind its tail, and the owner reads them before it. */
function holdsEntry({ thread, words, index, isWrite }: PlainAccess, worker: string): Complaint {
  const shown = index - completion.first < memory.load(words, completion.TAIL)
  if (isWrite ? thread === worker && !shown : thread === 'owner' && shown) return
  return `the entry is ${shown ? 'shown already' : 'not shown yet'}`
}

/** The owner writes the cell at the tail, and everybody reads those before it. */
function holdsCell({ cellOf, tailOf, levels }: RingCode, access: PlainAccess): Complaint {
  const { thread, words, index, isWrite } = access
  const isNext = levels.some(
    (_, level) => index === cellOf(level, memory.load(words, tailOf(level))),
  )
  if (isWrite ? thread === 'owner' && isNext : !isNext) return
  return `the cell is ${isNext ? 'not shown yet' : 'shown already'}`
}

/** Whoever has claimed a slot holds it; nobody a slot that may be claimed; the owner all others. */
function holdsSlot(
  real: RingCode,
  { thread, words, isWrite, isGone }: PlainAccess,
  slot: number,
  seats: readonly string[],
): Complaint {
  const { Kind, kindOf, seatOf, stateOf } = real
  const state = stateOf(words, slot)
  const kind = kindOf(state)
  const claimer = kind === Kind.CLAIMED ? (seats[seatOf(state)] ?? 'owner') : null
  if (claimer === thread) return
  const kindName = Object.entries(Kind).find(([, one]) => one === kind)?.[0]
  if (thread !== 'owner') return `the slot is ${kindName}, and not claimed by it`
  if (claimer !== null && !isGone(claimer)) return `${claimer} has claimed the slot, and lives`
  if (kind === Kind.READY || kind === Kind.LINKED) return `the slot is ${kindName}`
  // What a thread has left half-written means nothing.
  return !isWrite && claimer !== null ? `${claimer} has not said DONE` : undefined
}

function entryName(index: number): string {
  const known: Record<number, string> = { 0: 'TAIL', 1: 'BLOCKED', 16: 'HEAD' }
  return known[index] ?? `entry ${index - completion.first}`
}

function classWordName(real: RingCode, index: number): string {
  const { asleepOf, cellOf, coming, headOf, levels, Slot, slotOf, tailOf } = real
  if (index >= slotOf(0)) {
    const line = slotOf(1) - slotOf(0)
    const slot = Math.floor((index - slotOf(0)) / line)
    const field = index - slotOf(slot)
    const names = Object.entries(Slot)
    return `slot ${slot} ${names.find(([, place]) => place === field)?.[0] ?? field}`
  }
  if (index === coming) return 'COMING'
  for (const [level, name] of levels.entries()) {
    if (index === tailOf(level)) return `${name} TAIL`
    if (index === headOf(level)) return `${name} HEAD`
  }
  const level = levels.findLastIndex((_, one) => index >= cellOf(one, 0))
  return level < 0
    ? `ASLEEP ${index - asleepOf(0)}`
    : `${levels[level]} cell ${index - cellOf(level, 0)}`
}

/** What a state word says. */
export function slotStateName(real: RingCode, value: number, index: number): string {
  const { generationOf, Kind, kindOf, seatOf, Slot, slotOf } = real
  if (index < slotOf(0) || (index - slotOf(0)) % (slotOf(1) - slotOf(0)) !== Slot.STATE) return ''
  const kind = Object.entries(Kind).find(([, one]) => one === kindOf(value))?.[0] ?? '?'
  return `${kind} seat ${seatOf(value)} generation ${generationOf(value) >>> 13}`
}
