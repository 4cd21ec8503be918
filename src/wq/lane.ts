/**
 * The rings of one class, from the queue's side: the works in them, and those that wait for room.
 *
 * A work that goes to the rings is in a slot until the owner has read its end. Only this file puts
 * works into slots and takes them out; `ring/slot.ts` says what a worker may do meanwhile.
 *
 * @module
 */
import {
  allocateClass,
  type Announce,
  fill,
  Form,
  hang,
  isTaken,
  Kind,
  kindOf,
  levels,
  Mark,
  mostBlockBytes,
  openChain,
  keep as keepPacked,
  pack,
  seatOf,
  slotsIn,
  stateOf,
  Submission,
  tell,
  unhang,
  unlock,
  withdraw,
  writeHead,
  writeSmall,
  type ClassMemory,
} from '../ring/index.js'
import type { SharedBuffers } from './numbered-buffers.js'
import { SlotBlocks } from './slot-blocks.js'
import {
  Captured,
  type Link,
  WorkList,
  type CancelOutcome,
  type QueuedWork,
  type WorkLane,
} from './work.js'

/** What a lane tells its account. */
export interface LaneEvents {
  readonly unbounded: boolean
  nameOf(handler: number): string
  cancel(work: QueuedWork): CancelOutcome
  /** A work is ready: wake somebody for it. */
  published(): void
  /** A work that had to wait for room is in the rings. */
  entered(work: QueuedWork): void
}

/**
 * Slots for each level, high, normal and low, and for works that wait for their key: no kind of work
 * can take the room of another.
 */
const roomOf: readonly number[] = [2048, 10_240, 2048]
const roomForHung = 2048

export class Lane implements WorkLane {
  readonly memory: ClassMemory
  readonly submission: Submission
  held = 0
  /** The works in the slots. */
  readonly works: (QueuedWork | null)[] = []
  readonly #blocks: SlotBlocks
  readonly #shared: SharedBuffers
  readonly #events: LaneEvents
  readonly #backlogs = levels.map(() => new WorkList())
  readonly #taken = levels.map(() => 0)
  #hung = 0
  #waiting = 0
  /** Slots that are ready and found no cell to be shown in. */
  #unseen: number[] = []

  constructor(
    announce: Announce,
    shared: SharedBuffers,
    events: LaneEvents,
    memory: ClassMemory = allocateClass(),
  ) {
    this.memory = memory
    this.submission = new Submission(memory.words)
    this.#blocks = new SlotBlocks(announce, slotsIn(memory.words))
    this.#shared = shared
    this.#events = events
  }

  get unbounded(): boolean {
    return this.#events.unbounded
  }

  nameOf(handler: number): string {
    return this.#events.nameOf(handler)
  }

  cancel(work: QueuedWork): CancelOutcome {
    return this.#events.cancel(work)
  }

  isRunning(work: QueuedWork): boolean {
    if (work.slot < 0) return false
    return isTaken(stateOf(this.memory.words, work.slot))
  }

  /** The blocks' memory, for a worker that comes later. */
  get chunks(): SlotBlocks['chunks'] {
    return this.#blocks.chunks
  }

  /** Works that wait for room. */
  get waiting(): number {
    return this.#waiting
  }

  /** Works that a worker has or could have: those that wait for room, or are ready, or run. */
  get runnable(): number {
    return (
      this.#waiting +
      (this.#taken[0] as number) +
      (this.#taken[1] as number) +
      (this.#taken[2] as number)
    )
  }

  /** The works that are not in a slot, the most urgent first. */
  *backlog(): Iterable<QueuedWork> {
    if (this.#waiting > 0) for (const list of this.#backlogs) yield* list
  }

  /** The works in slots. */
  *inSlots(): Iterable<QueuedWork> {
    const { highest } = this.submission
    for (let slot = 0; slot < highest; slot++) {
      const work = this.works[slot] ?? null
      if (work !== null) yield work
    }
  }

  /** Where a work in a slot is. */
  kindOf(work: QueuedWork): number {
    return kindOf(stateOf(this.memory.words, work.slot))
  }

  /** Sends a work to the rings, or lets it wait for room. */
  admit(work: QueuedWork): void {
    if ((this.#backlogs[work.level] as WorkList).size === 0 && this.#enter(work)) return
    this.keep(work)
    ;(this.#backlogs[work.level] as WorkList).push(work)
    this.#waiting++
  }

  /** Makes what a work was submitted with its own, for it is not written now. */
  keep(work: QueuedWork): void {
    if (work.values !== null) work.values = [...work.values]
    const { captured } = work
    if (captured !== null && captured.packed !== null) captured.packed = keepPacked(captured.packed)
  }

  /** Hangs a work on the last of its key, which is in a slot. False: there is no room for it. */
  hang(work: QueuedWork, last: QueuedWork): boolean {
    const { link } = work
    if (link === null || last.link === null || this.#hung >= roomForHung) return false
    const slot = this.#write(work)
    if (slot < 0) return false
    const { words } = this.memory
    openChain(words, slot)
    fill(words, slot, Kind.LINKED, this.submission.generation(slot))
    this.#hung++
    link.isHung = true
    if (hang(words, last.slot, slot)) {
      link.before = last
      last.link.behind = work
    } else {
      // The handler of the last one has ended, and no worker comes by here.
      this.#unlock(work)
    }
    return true
  }

  /**
   * Takes a work back that no worker has claimed.
   *
   * @returns false: one has
   */
  withdraw(work: QueuedWork): boolean {
    const list = work.list
    if (work.slot < 0) {
      if (list === null || list !== this.#backlogs[work.level]) return false
      list.remove(work)
      this.#waiting--
      return true
    }
    if (!withdraw(this.memory.words, work.slot)) return false
    if (work.link === null) this.#free(work)
    else this.#leaveChain(work, work.link)
    return true
  }

  /** Says in a running work's slot that it is to end. */
  tell(work: QueuedWork): void {
    if (work.slot >= 0) tell(this.memory.words, work.slot)
  }

  /** A worker has ended a work, or has ended itself. Its slot is free. */
  release(work: QueuedWork, seat: number): void {
    const behind = work.link?.behind ?? null
    if (work.link !== null && behind !== null && behind.link !== null) {
      // The worker has taken the chain's next, and goes on with it or gives the turn to us.
      behind.link.before = null
      behind.link.turnFrom = seat
      work.link.behind = null
      this.#unhung(behind)
    }
    this.#free(work)
  }

  /** The worker that had claimed it is gone, and had not begun it: any worker may take it. */
  giveBack(work: QueuedWork): void {
    fill(this.memory.words, work.slot, Kind.LINKED, this.submission.generation(work.slot))
    this.#unlock(work)
  }

  /** It is a work's turn: its key is free, and its worker does not go on with it. */
  turn(work: QueuedWork): void {
    if (work.link === null) return
    work.link.turnFrom = -1
    if (work.link.isReserved) this.#free(work)
    else this.#unlock(work)
  }

  /** Lets works into the rings that waited for room. */
  refill(): void {
    if (this.#unseen.length > 0) this.#showUnseen()
    if (this.#waiting === 0) return
    for (const list of this.#backlogs) {
      for (let work = list.first; work !== null; work = list.first) {
        list.remove(work)
        this.#waiting--
        if (!this.#enter(work)) {
          list.pushFront(work)
          this.#waiting++
          break
        }
        this.#events.entered(work)
      }
    }
  }

  #enter(work: QueuedWork): boolean {
    const { level } = work
    if ((this.#taken[level] as number) >= (roomOf[level] as number)) return false
    if (!this.submission.hasCell(level)) return false
    const slot = this.#write(work)
    if (slot < 0) return false
    const { words } = this.memory
    if (work.link !== null) openChain(words, slot)
    ;(this.#taken[level] as number)++
    fill(words, slot, Kind.READY, this.submission.generation(slot))
    this.submission.publish(slot, level)
    this.#events.published()
    return true
  }

  /** Writes a work into a slot. -1: there is no room for it. */
  #write(work: QueuedWork): number {
    const slot = this.submission.acquire()
    if (slot < 0) return -1
    const format = this.#writePayload(work, slot)
    if (format < 0) {
      this.submission.release(slot)
      return -1
    }
    const context = work.carried?.number ?? 0
    writeHead(this.memory, slot, work.id, work.handler, format | marksOf(work), context)
    work.slot = slot
    this.works[slot] = work
    return slot
  }

  #writePayload(work: QueuedWork, slot: number): number {
    if (work.values !== null) {
      const small = writeSmall(this.memory, slot, work.values)
      if (small >= 0) {
        work.values = null
        return small
      }
      const values = work.values
      const packed = pack(values, mostBlockBytes, this.#shared)
      const message = packed === null ? { args: values, transfer: [] } : null
      work.captured = new Captured(packed, message, null)
      work.values = null
    }
    const { captured } = work
    if (captured === null || captured.packed === null) return Form.MESSAGE
    const { packed } = captured
    if (!this.#blocks.write(packed, this.memory, slot)) return -1
    captured.packed = null
    return Form.PACKED
  }

  /** Its key is free, unless a worker has claimed it already. */
  #unlock(work: QueuedWork): void {
    const { slot } = work
    this.#unhung(work)
    if (!unlock(this.memory.words, slot)) return
    if (!this.submission.hasCell(work.level)) {
      this.#unseen.push(slot, this.submission.generation(slot))
      return
    }
    this.submission.publish(slot, work.level)
    this.#events.published()
  }

  /** It is not behind another any more: a worker could have it. */
  #unhung(work: QueuedWork): void {
    if (work.link === null || !work.link.isHung) return
    work.link.isHung = false
    this.#hung--
    ;(this.#taken[work.level] as number)++
  }

  #showUnseen(): void {
    const unseen = this.#unseen
    this.#unseen = []
    for (let index = 0; index < unseen.length; index += 2) {
      const [slot, generation] = unseen.slice(index, index + 2) as [number, number]
      const work = this.works[slot] ?? null
      if (work === null || this.submission.generation(slot) !== generation) continue
      if (!this.submission.hasCell(work.level)) this.#unseen.push(slot, generation)
      else {
        this.submission.publish(slot, work.level)
        this.#events.published()
      }
    }
  }

  /** A withdrawn work leaves its chain; the next one takes its place, or is free to run. */
  #leaveChain(work: QueuedWork, link: Link): void {
    const { words } = this.memory
    const { before, behind } = link
    // A worker that has read that this one is the next comes to it, and says so.
    let isAwaited = link.turnFrom >= 0
    let isNextHung = false
    if (before !== null && before.link !== null) {
      before.link.behind = null
      if (unhang(words, before.slot, work.slot)) {
        isNextHung = behind !== null && hang(words, before.slot, behind.slot)
        if (isNextHung) before.link.behind = behind
      } else {
        isAwaited = true
        link.turnFrom = seatOf(stateOf(words, before.slot))
      }
    }
    if (behind !== null && behind.link !== null) {
      behind.link.before = isNextHung ? before : null
      if (!isNextHung) this.#unlock(behind)
    }
    link.behind = null
    link.isReserved = isAwaited
    if (!isAwaited) this.#free(work)
  }

  #free(work: QueuedWork): void {
    const { slot } = work
    if (work.link !== null && work.link.isHung) {
      work.link.isHung = false
      this.#hung--
    } else (this.#taken[work.level] as number)--
    this.#blocks.give(slot)
    work.captured = null
    work.values = null
    work.carried = null
    work.slot = -1
    this.works[slot] = null
    this.submission.release(slot)
  }
}

function marksOf(work: QueuedWork): number {
  let marks = 0
  if (work.link !== null) marks = Mark.CHAINED | (isSendableKey(work.key) ? Mark.KEYED : 0)
  if (work.extras !== null && work.extras.onItem !== null) marks |= Mark.STREAM
  if (work.carried !== null) {
    if (work.carried.values.length > 0) marks |= Mark.CARRIED
    if (work.carried.number !== 0) marks |= Mark.CONTEXT
  }
  return marks
}

/** Keys are compared on this side only; over there they are for show. */
export function isSendableKey(key: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof key)
}
