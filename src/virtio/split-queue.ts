/**
 * The device's side of a split virtqueue (VIRTIO 1.x, 2.7).
 *
 * What holds: `next` entries of the available ring were taken, `used` entries of the used ring were
 * written, and those in between are under way, each with its head. The queue moves these two alone; the guest
 * moves the available index, which is believed only as far as it can be true.
 *
 * @module
 */
import { Chain, ChainReader } from './chain.js'
import { hex, type GuestMemory, type Place } from './memory.js'
import { Notifications, ringLayout } from './notifications.js'
import { RingError } from './ring-error.js'
import {
  descriptorBytes,
  mostDescriptors,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
} from './spec.js'

/**
 * The most pieces of all requests under way together: some 100 MB of notes. Without a bound a guest could
 * let every head of a queue of 32768 name one table of 32768 descriptors.
 */
const mostPieces: number = 2 ** 22

/** A request with more pieces than this leaves too much room behind to be used again. */
const mostSparePieces = 256

/** Where a queue lies, and how it is used. */
export interface QueueSetup {
  /** Its number of descriptors: a power of two up to 32768. */
  readonly size: number
  /** The guest addresses of its three parts. */
  readonly descriptors: number
  readonly available: number
  readonly used: number
  /** The features that the driver took. */
  readonly features: bigint
  /** The index of the available entry that is taken first. */
  readonly base: number
}

/** The device's side of a queue. */
export class SplitQueue {
  readonly #size: number
  readonly #chains: ChainReader
  readonly #available: Uint16Array
  /** The used ring as 32-bit words: flags and index, then id and length of each entry. */
  readonly #used: Uint32Array
  readonly #notifications: Notifications
  readonly #completed: (chain: Chain, written: number) => void
  /** What is under way, by head. */
  readonly #underWay: (Chain | null)[]
  /** Requests to be used again: the one that came back last is the next. */
  readonly #spare: Chain[] = []
  #count = 0
  /** How many pieces they have. */
  #pieces = 0
  #next: number
  /** How far the driver was, when last looked at. */
  #known: number
  #usedIndex: number
  /** Entries of the used ring since `shouldCall` was asked. At first nobody knows. */
  #news = 0x10000

  /**
   * @param completed - hears that the device has completed a request; pushes it unless told otherwise
   * @throws RingError: the queue is not in the memory, or misaligned, or of a size that is none
   */
  constructor(
    memory: GuestMemory,
    setup: QueueSetup,
    completed?: (chain: Chain, written: number) => void,
  ) {
    const { size, features, base } = setup
    if (!(size > 0 && size <= mostDescriptors && (size & (size - 1)) === 0))
      throw new RingError(`A queue cannot have ${size} descriptors`)
    const hasEventIndex = (features & VIRTIO_RING_F_EVENT_IDX) !== 0n
    const mayBeIndirect = (features & VIRTIO_RING_F_INDIRECT_DESC) !== 0n
    const table = placed(memory, 'descriptor table', setup.descriptors, size * descriptorBytes, 16)
    const availableBytes = ringLayout.availableBytes(size, hasEventIndex)
    const available = placed(memory, 'available ring', setup.available, availableBytes, 2)
    const usedBytes = ringLayout.usedBytes(size, hasEventIndex)
    const used = placed(memory, 'used ring', setup.used, usedBytes, 4)
    this.#size = size
    this.#chains = new ChainReader(memory, table, size, mayBeIndirect)
    this.#available = new Uint16Array(...part(available), availableBytes / 2)
    this.#used = new Uint32Array(...part(used), 1 + 2 * size)
    const usedHalves = new Uint16Array(...part(used), usedBytes / 2)
    this.#notifications = new Notifications(
      { halves: usedHalves, event: ringLayout.usedEvent(size) },
      { halves: this.#available, event: ringLayout.availableEvent(size) },
      hasEventIndex,
    )
    this.#completed = completed ?? ((chain, written) => this.push(chain.head, written))
    this.#underWay = Array.from({ length: size }, () => null)
    this.#next = base & 0xffff
    this.#known = this.#next
    // A queue may have been served before: its used ring goes on where it ended.
    this.#usedIndex = usedHalves[1] as number
  }

  /** The index of the available entry that is taken next: the base that a frontend asks for. */
  get nextAvailable(): number {
    return this.#next
  }

  /** The index of the used entry that is written next. */
  get nextUsed(): number {
    return this.#usedIndex
  }

  /** How many requests are under way. */
  get underWay(): number {
    return this.#count
  }

  /**
   * Takes the next request; null when there is none.
   *
   * @throws RingError: the queue is broken, and stays so
   */
  next(): Chain | null {
    if (this.#next === this.#known && !this.#look()) return null
    const slot = this.#next & (this.#size - 1)
    // `#look` pairs with the driver's `publish`, which comes after this entry and its descriptors.
    const chain = this.take(this.#available[ringLayout.entries + slot] as number)
    this.#next = (this.#next + 1) & 0xffff
    return chain
  }

  /**
   * Takes a request by its head: one that was under way when a backend died.
   *
   * @throws RingError: the chain breaks a rule, or is under way
   */
  take(head: number): Chain {
    if (head < this.#size && this.#underWay[head] !== null)
      throw new RingError(`Chain ${head} is made available while it is under way`)
    const chain = this.#spare.pop() ?? new Chain(this.#completed)
    this.#chains.read(head, chain)
    const pieces = this.#pieces + chain.readable.count + chain.writable.count
    if (pieces > mostPieces)
      throw new RingError(`The requests under way have more than ${mostPieces} pieces`)
    this.#pieces = pieces
    this.#underWay[head] = chain
    this.#count++
    return chain
  }

  /**
   * Writes an entry of the used ring, which the driver sees after {@link publish}.
   *
   * @param written - how many writable bytes, from the first, were written
   */
  push(head: number, written: number): void {
    const chain = this.#underWay[head] ?? null
    if (chain === null) throw new RangeError(`There is no chain ${head} under way`)
    this.#underWay[head] = null
    this.#count--
    const pieces = chain.readable.count + chain.writable.count
    this.#pieces -= pieces
    if (pieces <= mostSparePieces) this.#spare.push(chain)
    const slot = 1 + 2 * (this.#usedIndex & (this.#size - 1))
    this.#used[slot] = head
    this.#used[slot + 1] = Math.min(written, 0xffffffff)
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff
    this.#news++
  }

  /** Shows the driver what was pushed. */
  publish(): void {
    this.#notifications.publish(this.#usedIndex)
  }

  /** Whether the driver wants a call for what was published since this was asked last. */
  shouldCall(): boolean {
    const news = this.#news
    this.#news = 0
    return this.#notifications.isWanted(this.#usedIndex, news)
  }

  /**
   * Asks for kicks, before the device sleeps.
   *
   * @returns whether requests have come, for which there may be no kick: look again
   */
  enableKicks(): boolean {
    return this.#notifications.listen(this.#next)
  }

  /** Asks for no kicks, while the device looks for requests by itself. */
  disableKicks(): void {
    this.#notifications.ignore()
  }

  #look(): boolean {
    const known = this.#notifications.theirIndex()
    const ahead = (known - this.#next) & 0xffff
    if (ahead > this.#size)
      throw new RingError(
        `The available index went from ${this.#next} to ${known} in a queue of ${this.#size}`,
      )
    this.#known = known
    return ahead > 0
  }
}

/** Where a part of a queue lies, if it lies well. */
function placed(
  memory: GuestMemory,
  name: string,
  address: number,
  length: number,
  alignment: number,
): Place {
  if (address % alignment !== 0)
    throw new RingError(`The ${name} at ${hex(address)} is not aligned to ${alignment} bytes`)
  const place = memory.place(address, length)
  if (place === null)
    throw new RingError(`The ${name} at ${hex(address)} is not in the memory: ${length} bytes`)
  if ((place.window.bytes.byteOffset + place.offset) % alignment !== 0)
    throw new RingError(`The ${name} at ${hex(address)} is in memory that is mapped misaligned`)
  return place
}

function part({ window, offset }: Place): [buffer: ArrayBufferLike, offset: number] {
  return [window.bytes.buffer, window.bytes.byteOffset + offset]
}
