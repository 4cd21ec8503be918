/**
 * What a session shares with its frontend beside the guest's memory: the dirty log, and the region that
 * tracks requests under way.
 *
 * @module
 */
import { close } from '../os/events.js'
import { longestViewBytes, memoryFile } from '../os/mapping.js'
import type { DirtyLog } from './backend.js'
import { inflightQueueBytes } from './inflight.js'
import type { InflightArea, LogArea } from './payloads.js'
import { demand } from './refusal.js'
import { mapFile, unmapFile, type Mapping } from './mapped-file.js'

/** The most descriptors of a split virtqueue. */
export const longestQueue = 32768
/** Words of 64 bits may be accessed as a whole. */
const wordBytes = 8

/** A dirty log that is mapped. */
export interface MappedLog {
  readonly log: DirtyLog
  close(): void
}

/** Maps the log of SET_LOG_BASE. @param fd - stays open; @throws Refusal */
export function mapLog({ size, offset }: LogArea, fd: number): MappedLog {
  const aligned = size % wordBytes === 0 && offset % wordBytes === 0
  demand(aligned, `The dirty log of ${size} bytes at ${offset} is not made of words`)
  demand(size <= longestViewBytes, `A dirty log of ${size} bytes is longer than any guest needs`)
  const mapping = mapFile(fd, offset, size)
  return {
    log: { address: mapping.address + offset, size },
    close: () => unmapFile(mapping),
  }
}

/** The region of SET_INFLIGHT_FD, mapped. */
export class InflightRegion {
  readonly #mapping: Mapping
  readonly #area: InflightArea

  /** @param fd - stays open; @throws Refusal */
  constructor(area: InflightArea, fd: number) {
    const { offset, size } = area
    demand(offset % wordBytes === 0, `The in-flight region at ${offset} is not made of words`)
    const least = checkedBytes(area)
    demand(size >= least, `The in-flight region has ${size} bytes, and needs ${least}`)
    this.#mapping = mapFile(fd, offset, size)
    this.#area = area
  }

  /**
   * The part of a vring with so many descriptors.
   *
   * @returns null where it has none; @throws Refusal: it was made for another size
   */
  of(vring: number, size: number): { address: number; size: number } | null {
    const { queues, queueSize, offset } = this.#area
    if (vring >= queues) return null
    const other = `Vring ${vring} has ${size} descriptors, and its in-flight region ${queueSize}`
    demand(size === queueSize, other)
    const bytes = inflightQueueBytes(queueSize)
    return { address: this.#mapping.address + offset + vring * bytes, size: bytes }
  }

  close(): void {
    unmapFile(this.#mapping)
  }
}

/**
 * A new region for so many queues, all zero, as GET_INFLIGHT_FD asks for.
 *
 * @returns its file, to be closed; @throws Refusal
 */
export function makeInflight(asked: InflightArea): { area: InflightArea; fd: number } {
  const { queues, queueSize } = asked
  const size = checkedBytes(asked)
  return { area: { size, offset: 0, queues, queueSize }, fd: memoryFile('uw-inflight', size) }
}

/** Closes what is a descriptor. */
export function closeIfAny(fd: number | null): void {
  if (fd !== null) close(fd)
}

function checkedBytes({ queues, queueSize }: InflightArea): number {
  demand(queues > 0, 'An in-flight region is for one queue at least')
  const known = queueSize > 0 && queueSize <= longestQueue
  demand(known, `An in-flight region is for queues of 1 to ${longestQueue}, not ${queueSize}`)
  return queues * inflightQueueBytes(queueSize)
}
