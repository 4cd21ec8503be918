/**
 * What is measured: requests of one kind, so many at a time.
 *
 * @module
 */

/** A line of the result. Its name stays what it is, so that results can be compared over time. */
export interface Case {
  readonly name: string
  readonly isWrite: boolean
  readonly isRandom: boolean
  /** The bytes of a request. */
  readonly bytes: number
  /** Requests under way at any time, in each queue. */
  readonly depth: number
}

const KiB = 1024
const MiB = 1024 * KiB

/** 4 KiB anywhere, one at a time and 32; 1 MiB one after the other, four at a time. */
export const cases: readonly Case[] = [
  { name: 'read-4k-qd1', isWrite: false, isRandom: true, bytes: 4 * KiB, depth: 1 },
  { name: 'write-4k-qd1', isWrite: true, isRandom: true, bytes: 4 * KiB, depth: 1 },
  { name: 'read-4k-qd32', isWrite: false, isRandom: true, bytes: 4 * KiB, depth: 32 },
  { name: 'write-4k-qd32', isWrite: true, isRandom: true, bytes: 4 * KiB, depth: 32 },
  { name: 'read-1m-qd4', isWrite: false, isRandom: false, bytes: MiB, depth: 4 },
  { name: 'write-1m-qd4', isWrite: true, isRandom: false, bytes: MiB, depth: 4 },
]

/** Where the requests come from, and where the bytes lie. */
export interface Setting {
  readonly name: string
  /** Past the page cache. */
  readonly isDirect: boolean
  readonly isGuest: boolean
  readonly queues: number
}

/** The page cache is that of a file in memory; what goes past it lies on a real file system. */
export const settings: readonly Setting[] = [
  { name: 'page-cache', isDirect: false, isGuest: false, queues: 1 },
  { name: 'page-cache-2q', isDirect: false, isGuest: false, queues: 2 },
  { name: 'direct', isDirect: true, isGuest: false, queues: 1 },
  { name: 'direct-2q', isDirect: true, isGuest: false, queues: 2 },
  { name: 'guest', isDirect: false, isGuest: true, queues: 1 },
  { name: 'guest-2q', isDirect: false, isGuest: true, queues: 2 },
]

/** How much is measured of a case. */
export interface Pace {
  readonly warmUpMs: number
  readonly measuredMs: number
}

export const fullPace: Pace = { warmUpMs: 200, measuredMs: 1000 }
/** To see that everything runs. The figures are a hint. */
export const quickPace: Pace = { warmUpMs: 50, measuredMs: 200 }

/** What a case gave. */
export interface Figures {
  /** Requests in a second. */
  readonly iops: number
  /** CPU time of the backend's process for a request, in microseconds. */
  readonly cpuUs: number
}

/** The figures of a sample, by the names of its cases. */
export type Sample = Readonly<Record<string, Figures>>
