/**
 * Values on their way through shared memory, for tests, and beside it by message.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { drain, MessageChannel } from '../os/thread.js'
import { assertAlike } from './alike.fixture.js'
import { keep, pack, read, write, type SharedBuffers, type SharedBuffersByNumber } from './index.js'

/** More than the memory that Node cuts small Buffers from, which crosses as a whole. */
export const most = 1 << 17
/** Where values cross. */
export const bytes = new Uint8Array(new SharedArrayBuffer(1 << 18))

/** Shared buffers of one test, on both sides. */
export class Announced implements SharedBuffers, SharedBuffersByNumber {
  readonly buffers: SharedArrayBuffer[] = []

  numberOf(buffer: SharedArrayBuffer): number {
    const number = this.buffers.indexOf(buffer)
    return number < 0 ? this.buffers.push(buffer) - 1 : number
  }

  bufferOf(number: number): SharedArrayBuffer {
    return this.buffers[number] as SharedArrayBuffer
  }
}

/** What comes out of shared memory; null if the values must go by message. */
export function crossed(values: readonly unknown[], kept = false): unknown[] | null {
  const shared = new Announced()
  const packed = pack(values, most, shared)
  if (packed === null) return null
  assert.ok(packed.byteLength <= most)
  bytes.fill(0xa5)
  write(kept ? keep(packed) : packed, bytes, 64)
  for (const at of [63, 64 + packed.byteLength]) assert.equal(bytes[at], 0xa5, 'written outside')
  const got = read(bytes, 64, packed.byteLength, shared)
  bytes.fill(0x5a)
  return got
}

/** What `postMessage` makes of the values. */
export function posted(values: unknown): unknown {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(values)
    const messages: unknown[] = []
    drain(port2, (message) => messages.push(message))
    return messages[0]
  } finally {
    port1.close()
  }
}

/** Asserts that the list crosses, as it is by message. */
export function assertCrosses(...values: unknown[]): void {
  for (const kept of [false, true]) {
    const got = crossed(values, kept)
    assert.notEqual(got, null, 'goes by message')
    assertAlike(got, posted(values))
  }
}

/** Asserts that the list goes by message. */
export function assertRefused(...values: unknown[]): void {
  assert.equal(crossed(values), null)
}
