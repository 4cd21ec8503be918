/**
 * What all instances of a disk share: words of shared memory.
 *
 * | word          | written by                     | read by                                   |
 * | ------------- | ------------------------------ | ----------------------------------------- |
 * | turn          | the control thread             | all; it says which capacity is in force   |
 * | capacities    | the control thread, before it turns | all, after the turn                  |
 * | writeThrough  | the control thread             | vring threads, at each write              |
 * | counts        | vring threads, by `add`        | anybody; they go round at 2^32            |
 * | the bucket's  | vring threads, by `replace`    | vring threads                             |
 *
 * @module
 */
import * as memory from '#memory'
import { sectorBytes } from './spec.js'

const turn = 0
/** Two capacities in sectors, each its low and its high word. */
const capacities = 1
const writeThrough = 5
const counts = 6

/** What is counted, in this order. */
export const counted = [
  'reads',
  'writes',
  'flushes',
  'discards',
  'zeroes',
  'others',
  'ioErrors',
  'unsupported',
] as const

export type Counted = (typeof counted)[number]

const bytesRead = counts + counted.length
const bytesWritten = bytesRead + 2
/** The words of the bucket of bytes, and of that of requests. */
export const bytesBucket = bytesWritten + 2
export const requestsBucket = bytesBucket + 2
const length = requestsBucket + 2

/**
 * How often what was done: requests of each kind, `others` for the serial number; answers
 * VIRTIO_BLK_S_IOERR and VIRTIO_BLK_S_UNSUPP. Counters go round at 2^32, bytes at 2^63.
 */
export type DiskCounts = Readonly<Record<Counted | 'bytesRead' | 'bytesWritten', number>>

/** New words, for a disk of so many bytes. */
export function diskWords(bytes: number): memory.Words {
  const words = memory.allocate(length)
  setCapacity(words, bytes)
  return words
}

/** Another capacity, in bytes. */
export function setCapacity(words: memory.Words, bytes: number): void {
  const next = 1 - (memory.load(words, turn) & 1)
  const sectors = bytes / sectorBytes
  memory.store(words, capacities + 2 * next, sectors | 0)
  memory.store(words, capacities + 2 * next + 1, Math.floor(sectors / 2 ** 32))
  memory.store(words, turn, memory.load(words, turn) + 1)
}

/** The capacity, in sectors. */
export function capacityOf(words: memory.Words): number {
  for (;;) {
    const before = memory.load(words, turn)
    const at = capacities + 2 * (before & 1)
    const sectors = memory.load(words, at + 1) * 2 ** 32 + (memory.load(words, at) >>> 0)
    // The next but one is written to the same place, but no sooner than the next is in force.
    if (memory.load(words, turn) === before) return sectors
  }
}

export function setWriteThrough(words: memory.Words, isOn: boolean): void {
  memory.store(words, writeThrough, isOn ? 1 : 0)
}

export function isWriteThrough(words: memory.Words): boolean {
  return memory.load(words, writeThrough) === 1
}

/** Counts one of a kind. */
export function count(words: memory.Words, what: Counted): void {
  memory.add(words, counts + counted.indexOf(what), 1)
}

/** Counts bytes that were read or written. */
export function countBytes(words: memory.Words, bytes: number, isRead: boolean): void {
  const low = isRead ? bytesRead : bytesWritten
  const before = memory.add(words, low, bytes | 0) >>> 0
  const carry = Math.floor((before + bytes) / 2 ** 32)
  if (carry > 0) memory.add(words, low + 1, carry)
}

/** All counts. */
export function countsOf(words: memory.Words): DiskCounts {
  const wide = (low: number): number =>
    memory.load(words, low + 1) * 2 ** 32 + (memory.load(words, low) >>> 0)
  const single = counted.map((what, index) => [what, memory.load(words, counts + index) >>> 0])
  return {
    ...(Object.fromEntries(single) as Record<Counted, number>),
    bytesRead: wide(bytesRead),
    bytesWritten: wide(bytesWritten),
  }
}
