/**
 * Requests for tests, in mapped memory of their own with guards around.
 *
 * @module
 */
import { strict as assert } from 'node:assert'
import type { Request, Segments } from '../../virtio/index.js'
import { MappedBytes } from './mapped-bytes.js'

const guard = 0xa5
/** So much behind the last piece is looked at. */
const guardBytes = 65536

/** Pieces of one arena. Between them are guards. */
class Pieces implements Segments {
  readonly length: number
  readonly #arena: MappedBytes
  readonly #pieces: readonly { at: number; size: number }[]

  constructor(arena: MappedBytes, pieces: readonly { at: number; size: number }[]) {
    this.#arena = arena
    this.#pieces = pieces
    this.length = pieces.reduce((sum, { size }) => sum + size, 0)
  }

  get count(): number {
    return this.#pieces.length
  }

  #piece(index: number): { at: number; size: number } {
    const piece = this.#pieces[index]
    if (piece === undefined) throw new RangeError(`There is no piece ${index}`)
    return piece
  }

  address(index: number): number {
    return this.#arena.start + this.#piece(index).at
  }

  size(index: number): number {
    return this.#piece(index).size
  }

  bytes(index: number): Uint8Array {
    const { at, size } = this.#piece(index)
    return this.#arena.bytes().subarray(at, at + size)
  }

  read(offset: number, target: Uint8Array): number {
    const all = this.all()
    const part = all.subarray(offset, offset + target.length)
    target.set(part)
    return part.length
  }

  write(offset: number, source: Uint8Array): number {
    let done = 0
    let skip = offset
    for (let index = 0; index < this.count && done < source.length; index++) {
      const piece = this.bytes(index)
      const part = piece.subarray(Math.min(skip, piece.length))
      skip -= piece.length - part.length
      const some = source.subarray(done, done + part.length)
      part.set(some)
      done += some.length
    }
    return done
  }

  fill(offset: number, length: number, value = 0): number {
    return this.write(offset, new Uint8Array(length).fill(value))
  }

  all(): Uint8Array {
    const all = new Uint8Array(this.length)
    let at = 0
    for (let index = 0; index < this.count; index++) {
      all.set(this.bytes(index), at)
      at += this.size(index)
    }
    return all
  }
}

/** A request that is waited for. */
export class TestRequest implements Request {
  readonly readable: Pieces
  readonly writable: Pieces
  readonly head: number
  written = -1
  readonly completed: Promise<void>
  #complete: () => void = () => {}

  constructor(head: number, readable: Pieces, writable: Pieces) {
    this.head = head
    this.readable = readable
    this.writable = writable
    this.completed = new Promise((resolve) => {
      this.#complete = resolve
    })
  }

  complete(written: number): void {
    assert.equal(this.written, -1, 'a request is completed once')
    this.written = written
    this.#complete()
  }

  /** The status byte: the last that may be written. */
  get status(): number {
    return this.writable.all().at(-1) ?? -1
  }

  get data(): Uint8Array {
    return this.writable.all().subarray(0, -1)
  }
}

/** Where requests of tests lie. */
export class TestMemory {
  readonly #arena: MappedBytes
  readonly #used: { at: number; size: number }[] = []
  #at = 0
  #heads = 0

  constructor(size = 2 ** 22) {
    this.#arena = new MappedBytes(size)
    this.#arena.bytes().fill(guard)
  }

  /** Forgets all requests. */
  reset(): void {
    for (const { at, size } of this.#used) this.#arena.bytes().fill(guard, at, at + size)
    this.#used.length = 0
    this.#at = 0
  }

  /** Pieces of these sizes, each at a multiple of `alignment` plus `skew`, with guards between. */
  pieces(sizes: readonly number[], alignment = 16, skew = 0): Pieces {
    const pieces = sizes.map((size) => {
      const at = Math.ceil((this.#at + 8) / alignment) * alignment + skew
      this.#at = at + size
      assert.ok(this.#at + 8 <= this.#arena.length, 'the memory for tests is too small')
      const piece = { at, size }
      this.#used.push(piece)
      return piece
    })
    return new Pieces(this.#arena, pieces)
  }

  /** A request of these bytes, and room for an answer of this length beside the status. */
  request(
    bytes: Uint8Array,
    room: number,
    { readable = [bytes.length], writable = [room, 1], alignment = 16, skew = 0 } = {},
  ): TestRequest {
    const source = this.pieces(readable, alignment, skew)
    source.write(0, bytes)
    return new TestRequest(this.#heads++, source, this.pieces(writable, alignment, skew))
  }

  /** Nothing beside the pieces was written. */
  checkGuards(): void {
    let from = 0
    const all = this.#arena.bytes()
    const room = { at: Math.min(all.length, this.#at + guardBytes), size: 0 }
    for (const { at, size } of [...this.#used, room]) {
      for (let index = from; index < at; index++)
        if (all[index] !== guard) assert.fail(`byte ${index} beside all pieces was written`)
      from = at + size
    }
  }

  free(): void {
    this.#arena.free()
  }
}

/** The bytes of a request: its header, and what follows. */
export function requestBytes(
  type: number,
  sector: number | bigint,
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(16 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setBigUint64(8, BigInt(sector), true)
  bytes.set(data, 16)
  return bytes
}

/** The segments of a request to discard or to zero. */
export function rangeBytesOf(
  ...ranges: readonly { sector: number | bigint; sectors: number; flags?: number }[]
): Uint8Array {
  const bytes = new Uint8Array(16 * ranges.length)
  const view = new DataView(bytes.buffer)
  ranges.forEach(({ sector, sectors, flags = 0 }, index) => {
    view.setBigUint64(16 * index, BigInt(sector), true)
    view.setUint32(16 * index + 8, sectors, true)
    view.setUint32(16 * index + 12, flags, true)
  })
  return bytes
}
