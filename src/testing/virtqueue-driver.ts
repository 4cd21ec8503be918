/**
 * The driver's side of a split virtqueue, for tests of devices.
 *
 * @module
 */
import { checkInteger, checkOptions } from '../validate.js'
import {
  descriptorBytes,
  mostDescriptors,
  Notifications,
  ringLayout,
  VIRTIO_F_VERSION_1,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from '../virtio/index.js'
import type { DriverMemory } from './driver-memory.js'

/** What a queue is like. */
export interface VirtqueueDriverOptions {
  /** Its number of descriptors: a power of two from 1 to 32768; 128 unless told. */
  readonly size?: number
  /**
   * The features that device and driver agreed on; VIRTIO_F_VERSION_1 and VIRTIO_RING_F_EVENT_IDX unless
   * told. Those that are not about queues make no difference.
   */
  readonly features?: bigint
  /** The index at which both rings begin, from 0 to 65535; 0 unless told. */
  readonly base?: number
}

/** A piece of memory of a request. */
export interface DriverBuffer {
  /** Its guest address. */
  readonly address: number
  /** Its length in bytes. */
  readonly length: number
  /** Whether the device writes it; else it reads it. */
  readonly isWritable: boolean
}

/** A descriptor as it lies in memory (VIRTIO 1.x, 2.7.5). */
export interface Descriptor {
  /** 64 bits. A number up to 2^53 does for most. */
  readonly address: number | bigint
  /** 32 bits. */
  readonly length: number
  /** 16 bits: VIRTQ_DESC_F_NEXT (1), VIRTQ_DESC_F_WRITE (2), VIRTQ_DESC_F_INDIRECT (4). */
  readonly flags: number
  /** 16 bits: the index of the next one. */
  readonly next: number
}

/** A request that the device has given back. */
export interface UsedRequest {
  /** What {@link VirtqueueDriver.add} gave. */
  readonly head: number
  /** How many bytes the device says it has written. */
  readonly written: number
  /** The writable pieces, each as long as it was asked for. Copies, where `add` took the memory. */
  readonly data: readonly Uint8Array[]
}

interface UnderWay {
  /** Null where only a head was offered: nobody knows how much may be written. */
  readonly buffers: readonly DriverBuffer[] | null
  /** The descriptors of the queue's table that it has. */
  readonly descriptors: readonly number[]
  /** The table of its own, if it has one. */
  readonly table: number | null
  /** Whether `add` took the memory of the buffers. */
  readonly isOurs: boolean
}

const unknown: UnderWay = { buffers: null, descriptors: [], table: null, isOurs: false }

/**
 * The driver's side of a split virtqueue: it lays the queue out in memory, adds requests, and takes them back. It tells
 * nobody by itself: who has added asks {@link needsKick} and kicks the device in the way of the transport.
 *
 * Beside the methods of a driver that keeps the rules there are some to break them, for tests of a device's
 * border: {@link writeDescriptor}, {@link offer}, {@link setAvailableIndex}.
 */
export class VirtqueueDriver {
  /** Its number of descriptors. */
  readonly size: number
  /** The features that device and driver agreed on. */
  readonly features: bigint
  /** The guest address of its descriptor table. */
  readonly descriptors: number
  /** That of its available ring. */
  readonly available: number
  /** That of its used ring. */
  readonly used: number
  readonly #memory: DriverMemory
  readonly #ring: Uint16Array
  readonly #usedEntries: DataView
  readonly #notifications: Notifications
  readonly #hasTables: boolean
  readonly #free: number[]
  readonly #underWay = new Map<number, UnderWay>()
  #nextAvailable: number
  #nextUsed: number
  /** Requests since `needsKick` was asked. */
  #news = 0

  /**
   * @throws TypeError EINVAL: an option is wrong
   * @throws RangeError: the memory has no room for the queue
   */
  constructor(memory: DriverMemory, options: VirtqueueDriverOptions = {}) {
    checkOptions('VirtqueueDriver', options, ['size', 'features', 'base'])
    const { size = 128, features = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_EVENT_IDX } = options
    const { base = 0 } = options
    checkInteger('size', size, 1, mostDescriptors)
    checkInteger('The power of 2 that size is', Math.log2(size), 0, Math.log2(mostDescriptors))
    checkInteger('base', base, 0, 0xffff)
    const hasEventIndex = (features & VIRTIO_RING_F_EVENT_IDX) !== 0n
    const availableBytes = ringLayout.availableBytes(size, true)
    const usedBytes = ringLayout.usedBytes(size, true)
    this.size = size
    this.features = features
    this.descriptors = memory.allocate(size * descriptorBytes)
    this.available = memory.allocate(availableBytes)
    this.used = memory.allocate(usedBytes)
    this.#memory = memory
    this.#hasTables = (features & VIRTIO_RING_F_INDIRECT_DESC) !== 0n
    this.#ring = halvesOf(memory.at(this.available, availableBytes))
    const used = memory.at(this.used, usedBytes)
    const usedHalves = halvesOf(used)
    this.#usedEntries = new DataView(used.buffer, used.byteOffset, used.byteLength)
    this.#notifications = new Notifications(
      { halves: this.#ring, event: ringLayout.availableEvent(size) },
      { halves: usedHalves, event: ringLayout.usedEvent(size) },
      hasEventIndex,
    )
    this.#free = Array.from({ length: size }, (_, index) => size - 1 - index)
    this.#nextAvailable = base
    this.#nextUsed = base
    this.#ring[1] = base
    usedHalves[1] = base
    this.#notifications.listen(base)
  }

  /** How many requests are under way. */
  get underWay(): number {
    return this.#underWay.size
  }

  /** How many descriptors are free. A request takes one for each piece; with tables, one in all. */
  get freeDescriptors(): number {
    return this.#free.length
  }

  /**
   * Adds a request, with memory of its own, which is given back when it is taken as used. The device sees
   * it after {@link publish}.
   *
   * @param readable - what the device reads; copied into the memory
   * @param writable - the lengths of the pieces that it writes, in bytes
   * @returns the request's head
   * @throws RangeError: there are not enough descriptors, or there is no room in the memory
   */
  add(readable: readonly Uint8Array[], writable: readonly number[]): number {
    this.#checkRoom(readable.length + writable.length)
    const buffers: DriverBuffer[] = []
    const take = (length: number, isWritable: boolean): number => {
      const address = this.#memory.allocate(length)
      buffers.push({ address, length, isWritable })
      return address
    }
    try {
      for (const bytes of readable)
        this.#memory.at(take(bytes.length, false), bytes.length).set(bytes)
      for (const length of writable) take(length, true)
      return this.#add(buffers, true)
    } catch (error) {
      for (const { address } of buffers) this.#memory.free(address)
      throw error
    }
  }

  /**
   * Adds a request over memory that the caller has. The device sees it after {@link publish}.
   *
   * @param buffers - the readable ones first
   * @returns the request's head
   * @throws RangeError: there are not enough descriptors
   */
  addBuffers(buffers: readonly DriverBuffer[]): number {
    return this.#add(buffers, false)
  }

  /** Shows the device what was added. */
  publish(): void {
    this.#notifications.publish(this.#nextAvailable)
  }

  /** Whether the device wants a kick for what was published since this was asked last. */
  needsKick(): boolean {
    const news = this.#news
    this.#news = 0
    return this.#notifications.isWanted(this.#nextAvailable, news)
  }

  /**
   * Takes back the oldest request that the device has used; null when there is none.
   *
   * @throws Error: the device breaks a rule: it has used what is not under way, or written too much
   */
  takeUsed(): UsedRequest | null {
    // Pairs with the device's `publish`: the entry and what it wrote can be read.
    const index = this.#notifications.theirIndex()
    const ahead = (index - this.#nextUsed) & 0xffff
    if (ahead === 0) return null
    if (ahead > this.size) throw new Error(`The used index went from ${this.#nextUsed} to ${index}`)
    const at = 4 + 8 * (this.#nextUsed & (this.size - 1))
    const head = this.#usedEntries.getUint32(at, true)
    const written = this.#usedEntries.getUint32(at + 4, true)
    const request = this.#underWay.get(head)
    if (request === undefined) throw new Error(`The device used ${head}, which is not under way`)
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff
    this.#underWay.delete(head)
    const data = this.#giveBack(request)
    const room = data.reduce((sum, { length }) => sum + length, 0)
    if (written > room && request.buffers !== null)
      throw new Error(`The device wrote ${written} bytes into ${room}`)
    return { head, written, data }
  }

  /**
   * Asks for calls, before it waits for one.
   *
   * @returns whether the device has used requests, for which there may be no call: take them
   */
  enableCalls(): boolean {
    return this.#notifications.listen(this.#nextUsed)
  }

  /** Asks for no calls, while it looks for used requests by itself. */
  disableCalls(): void {
    this.#notifications.ignore()
  }

  /** Writes any descriptor, by the rules or not. @param table - of the queue unless told */
  writeDescriptor(index: number, descriptor: Descriptor, table = this.descriptors): void {
    const bytes = this.#memory.at(table + index * descriptorBytes, descriptorBytes)
    const view = new DataView(bytes.buffer, bytes.byteOffset, descriptorBytes)
    const { address, length, flags, next } = descriptor
    if (typeof address === 'bigint') view.setBigUint64(0, address, true)
    else {
      view.setUint32(0, address % 2 ** 32, true)
      view.setUint32(4, Math.floor(address / 2 ** 32), true)
    }
    view.setUint32(8, length, true)
    view.setUint16(12, flags, true)
    view.setUint16(14, next, true)
  }

  /** Makes any head available, by the rules or not. The device sees it after {@link publish}. */
  offer(head: number): void {
    this.#ring[ringLayout.entries + (this.#nextAvailable & (this.size - 1))] = head
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff
    this.#news++
    if (!this.#underWay.has(head)) this.#underWay.set(head, unknown)
  }

  /** Says that entries before this index are available, whether they are or not. */
  setAvailableIndex(index: number): void {
    this.#nextAvailable = index & 0xffff
    this.publish()
  }

  #checkRoom(pieces: number): void {
    if (pieces === 0) throw new RangeError('A request has at least one piece')
    const needed = this.#hasTables && pieces > 1 ? 1 : pieces
    if (needed > this.#free.length)
      throw new RangeError(`${needed} descriptors are needed, and ${this.#free.length} are free`)
  }

  #add(buffers: readonly DriverBuffer[], isOurs: boolean): number {
    this.#checkRoom(buffers.length)
    const hasTable = this.#hasTables && buffers.length > 1
    const table = hasTable ? this.#memory.allocate(buffers.length * descriptorBytes) : null
    const descriptors = this.#free.splice(hasTable ? -1 : -buffers.length).toReversed()
    const head = descriptors[0] as number
    for (const [index, buffer] of buffers.entries()) {
      const isLast = index + 1 === buffers.length
      const next = isLast ? null : hasTable ? index + 1 : (descriptors[index + 1] as number)
      const descriptor = descriptorOf(buffer, next)
      if (table !== null) this.writeDescriptor(index, descriptor, table)
      else this.writeDescriptor(descriptors[index] as number, descriptor)
    }
    if (table !== null) {
      const length = buffers.length * descriptorBytes
      const flags = VIRTQ_DESC_F_INDIRECT
      this.writeDescriptor(head, { address: table, length, flags, next: 0 })
    }
    this.#underWay.set(head, { buffers, descriptors, table, isOurs })
    this.offer(head)
    return head
  }

  /** Frees what a request had, and gives what the device may have written. */
  #giveBack({ buffers, descriptors, table, isOurs }: UnderWay): Uint8Array[] {
    const data: Uint8Array[] = []
    for (const { address, length, isWritable } of buffers ?? []) {
      const bytes = this.#memory.at(address, length)
      if (isWritable) data.push(isOurs ? bytes.slice() : bytes)
      if (isOurs) this.#memory.free(address)
    }
    if (table !== null) this.#memory.free(table)
    for (let index = descriptors.length; index > 0; index--)
      this.#free.push(descriptors[index - 1] as number)
    return data
  }
}

function descriptorOf(buffer: DriverBuffer, next: number | null): Descriptor {
  const { address, length, isWritable } = buffer
  const flags = (isWritable ? VIRTQ_DESC_F_WRITE : 0) | (next === null ? 0 : VIRTQ_DESC_F_NEXT)
  return { address, length, flags, next: next ?? 0 }
}

function halvesOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
}
