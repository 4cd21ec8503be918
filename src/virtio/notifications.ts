/**
 * When the two sides of a split virtqueue tell each other that there is something new, and when they need not.
 *
 * Driver and device do the same, each with its own ring: it moves the index there, and says there when it
 * wants to be told of the other's. Without EVENT_IDX that is a flag, with it the index from which on
 * (VIRTIO 1.x, 2.7.7 and 2.7.10).
 *
 * The race that decides, from both sides:
 *
 *     who has something new            who is about to sleep
 *     publish: store the index         listen: store what it wants to be told of
 *     isWanted: load what they want    listen: load the index
 *
 * All four are sequentially consistent, so one of the two sees the other's store: it is told, or it does not
 * sleep.
 *
 * @module
 */
import * as memory from '#memory'
import { VIRTQ_AVAIL_F_NO_INTERRUPT, VIRTQ_USED_F_NO_NOTIFY } from './spec.js'

/** Where the halves are that both rings begin with. */
const FLAGS = 0
const INDEX = 1

/** Do not tell me: it is the same bit in the flags of either ring. */
const DO_NOT_TELL = VIRTQ_AVAIL_F_NO_INTERRUPT | VIRTQ_USED_F_NO_NOTIFY

/** A ring as halves: flags, index, the entries, and the event field. */
export interface Ring {
  readonly halves: memory.Halves
  /** Which half is the event field (`used_event`, `avail_event`); not used without EVENT_IDX. */
  readonly event: number
}

/** Where the parts of the rings of a queue lie (VIRTIO 1.x, 2.7.6 and 2.7.8), in halves and in bytes. */
export const ringLayout: {
  readonly entries: number
  availableEvent(size: number): number
  usedEvent(size: number): number
  availableBytes(size: number, hasEventIndex: boolean): number
  usedBytes(size: number, hasEventIndex: boolean): number
} = {
  /** The half at which the entries begin, in both. */
  entries: 2,
  /** `used_event`, at the end of the available ring. */
  availableEvent: (size) => 2 + size,
  /** `avail_event`, at the end of the used ring. */
  usedEvent: (size) => 2 + 4 * size,
  availableBytes: (size, hasEventIndex) => 4 + 2 * size + (hasEventIndex ? 2 : 0),
  usedBytes: (size, hasEventIndex) => 4 + 8 * size + (hasEventIndex ? 2 : 0),
}

/** One side of a queue, as it tells the other and is told. */
export class Notifications {
  readonly #mine: memory.Halves
  readonly #myEvent: number
  readonly #theirs: memory.Halves
  readonly #theirEvent: number
  readonly #hasEventIndex: boolean

  /** @param mine - the ring that this side writes: the driver's is the available one */
  constructor(mine: Ring, theirs: Ring, hasEventIndex: boolean) {
    this.#mine = mine.halves
    this.#myEvent = mine.event
    this.#theirs = theirs.halves
    this.#theirEvent = theirs.event
    this.#hasEventIndex = hasEventIndex
  }

  /** Entries before this index are there to be seen. Pairs with `theirIndex` of the other side. */
  publish(index: number): void {
    memory.storeHalf(this.#mine, INDEX, index)
  }

  /** The other side's index. Pairs with its `publish`: the entries before it can be read. */
  theirIndex(): number {
    return memory.loadHalf(this.#theirs, INDEX)
  }

  /**
   * Whether the other side wants to be told of what was published. Pairs with its `listen`.
   *
   * @param index - the index that was published
   * @param news - how many entries came since this was asked last; 65536 or more when that is not known
   */
  isWanted(index: number, news: number): boolean {
    if (!this.#hasEventIndex) return (memory.loadHalf(this.#theirs, FLAGS) & DO_NOT_TELL) === 0
    const event = memory.loadHalf(this.#theirs, this.#theirEvent)
    return ((index - event - 1) & 0xffff) < news
  }

  /**
   * From now on this side wants to be told of entries from `next` on. Pairs with `publish` and `isWanted`.
   *
   * @returns whether there are some by now: nobody may have told of them
   */
  listen(next: number): boolean {
    if (this.#hasEventIndex) memory.storeHalf(this.#mine, this.#myEvent, next)
    else memory.storeHalf(this.#mine, FLAGS, 0)
    return memory.loadHalf(this.#theirs, INDEX) !== next
  }

  /**
   * It need not be told. With EVENT_IDX there is nothing to do: it is told once, at the index that
   * it named last. Pairs with nothing: to be told in vain does no harm.
   */
  ignore(): void {
    if (!this.#hasEventIndex) memory.storeHalf(this.#mine, FLAGS, DO_NOT_TELL)
  }
}
