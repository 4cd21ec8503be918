/**
 * A guest's memory with guards around it, for tests: two regions, the second beyond 4 GiB, seen through windows that
 * are short enough to matter.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { GuestMemory, windowsOf, type WindowLayout } from './index.js'

export const layout: WindowLayout = { stepBytes: 0x1000, overlapBytes: 0x1800 }

/** Where the regions lie for the guest. The second does not end at a page. */
export const regions = [
  { guest: 0x10000, size: 0x4000 },
  { guest: 2 ** 32 + 0x3000, size: 0x2ff5 },
] as const

const guardBytes = 0x1000
const guardByte = 0xa5

/** The memory, and all around it. */
export class GuardedMemory {
  readonly memory: GuestMemory
  readonly #buffer: ArrayBuffer
  readonly #parts: { readonly guest: number; readonly bytes: Uint8Array }[] = []
  readonly #guards: Uint8Array[] = []

  constructor() {
    const room = regions.reduce((sum, { size }) => sum + size + 2 * guardBytes, guardBytes)
    this.#buffer = new ArrayBuffer(room)
    new Uint8Array(this.#buffer).fill(guardByte)
    let at = 0
    for (const { guest, size } of regions) {
      this.#guards.push(new Uint8Array(this.#buffer, at, guardBytes))
      at += guardBytes
      this.#parts.push({ guest, bytes: new Uint8Array(this.#buffer, at, size) })
      const rest = -size & 0xfff
      if (rest > 0) this.#guards.push(new Uint8Array(this.#buffer, at + size, rest))
      at += size + rest
    }
    this.#guards.push(new Uint8Array(this.#buffer, at, guardBytes))
    this.memory = new GuestMemory(
      this.#parts.map(({ guest, bytes }) => ({
        guest,
        size: bytes.length,
        address: 0,
        windows: windowsOf(bytes.length, layout).map(({ offset, length }) =>
          bytes.subarray(offset, offset + length),
        ),
      })),
      layout,
    )
    this.fill()
  }

  /** Puts other bytes everywhere, of which no two near each other are the same. */
  fill(): void {
    for (const { bytes } of this.#parts) bytes.set(pattern.subarray(0, bytes.length))
  }

  /** The bytes at a guest address, or null where they are not all in one region. */
  at(address: number | bigint, length: number): Uint8Array | null {
    for (const { guest, bytes } of this.#parts) {
      const offset = BigInt(address) - BigInt(guest)
      if (offset >= 0n && offset + BigInt(length) <= BigInt(bytes.length))
        return bytes.subarray(Number(offset), Number(offset) + length)
    }
    return null
  }

  /** Writes a little-endian number. */
  put(address: number, size: 2 | 4 | 8, value: number | bigint): void {
    let left = BigInt(value)
    const bytes = this.at(address, size)
    assert.ok(bytes, `there is no memory at ${address}`)
    for (let at = 0; at < size; at++) {
      bytes[at] = Number(left & 0xffn)
      left >>= 8n
    }
  }

  /** Reads a little-endian number. */
  get(address: number | bigint, size: 2 | 4 | 8): bigint {
    const bytes = this.at(address, size)
    assert.ok(bytes, `there is no memory at ${address}`)
    return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  }

  /** Nobody has written around the regions. */
  checkGuards(): void {
    for (const guard of this.#guards)
      if (Buffer.compare(guard, untouched.subarray(0, guard.length)) !== 0)
        assert.fail('a guard was written to')
  }
}

const pattern = Uint8Array.from({ length: 0x4000 }, (_, at) => (at * 7 + (at >> 8)) & 0x7f)

const untouched = new Uint8Array(guardBytes).fill(guardByte)
