/**
 * Requests of a disk's driver.
 *
 * @module
 */
import type { FrontendQueue } from 'userworker/testing'

interface Answer {
  /** 0: done; 1: an error. */
  readonly status: number
  readonly data: Uint8Array
}

/** What a driver asks, over one queue. Places are in bytes, and multiples of 512. */
interface BlkRequest {
  read(offset: number, length: number): Promise<Answer>
  write(offset: number, bytes: Uint8Array): Promise<Answer>
}

/** Requests over a queue. */
export function blkRequest(queue: FrontendQueue): BlkRequest {
  const ask = async (
    type: number,
    at: number,
    bytes: Uint8Array,
    room: number,
  ): Promise<Answer> => {
    const header = Buffer.alloc(16)
    header.writeUInt32LE(type, 0)
    header.writeBigUInt64LE(BigInt(at / 512), 8)
    const lengths = room === 0 ? [1] : [room, 1]
    const { writable } = await queue.request([Buffer.concat([header, bytes])], lengths)
    return { status: writable.at(-1)?.[0] ?? -1, data: writable[0] ?? new Uint8Array() }
  }
  return {
    read: (offset, length) => ask(0, offset, new Uint8Array(), length),
    write: (offset, bytes) => ask(1, offset, bytes, 0),
  }
}
