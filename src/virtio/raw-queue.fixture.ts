/**
 * A queue as a guest can write it, by the rules or not; and what is in it by the rules, found in the plainest way.
 *
 * @module
 */
import { layout, type GuardedMemory } from './guarded.fixture.js'
import { VIRTIO_RING_F_INDIRECT_DESC, type Chain, type QueueSetup } from './index.js'

export interface RawDescriptor {
  readonly address: number | bigint
  readonly length: number
  /** 1: goes on at `next`; 2: to be written; 4: a table. */
  readonly flags: number
  readonly next: number
}

/** Where the parts of a queue usually lie in these tests, from low to high. */
export const usual: QueueSetup = {
  size: 16,
  descriptors: 0x10000,
  available: 0x10800,
  used: 0x10a00,
  features: VIRTIO_RING_F_INDIRECT_DESC,
  base: 0,
}

/** Writes the parts of a queue. */
export class RawQueue {
  readonly #memory: GuardedMemory
  readonly #setup: QueueSetup
  #index: number

  constructor(memory: GuardedMemory, setup: QueueSetup = usual) {
    this.#memory = memory
    this.#setup = setup
    this.#index = setup.base
    const { size, descriptors, available, used } = setup
    memory.at(descriptors, 16 * size)?.fill(0)
    memory.at(available, 6 + 2 * size)?.fill(0)
    memory.at(used, 6 + 8 * size)?.fill(0)
    this.showIndex(this.#index)
  }

  describe(index: number, { address, length, flags, next }: RawDescriptor, table?: number): void {
    const at = (table ?? this.#setup.descriptors) + 16 * index
    this.#memory.put(at, 8, address)
    this.#memory.put(at + 8, 4, length)
    this.#memory.put(at + 12, 2, flags)
    this.#memory.put(at + 14, 2, next)
  }

  /** Makes a head available. */
  offer(head: number): void {
    const { available, size } = this.#setup
    this.#memory.put(available + 4 + 2 * (this.#index % size), 2, head)
    this.#index = (this.#index + 1) % 2 ** 16
    this.showIndex(this.#index)
  }

  showIndex(index: number): void {
    this.#memory.put(this.#setup.available + 2, 2, index)
  }
}

/** Pieces as guest addresses and lengths; neighbours are one. */
export type Extents = [address: bigint, length: bigint][]

export interface Plain {
  readonly readable: Extents
  readonly writable: Extents
}

/** What a chain is by the rules; null where it breaks one. */
export function plainly(memory: GuardedMemory, setup: QueueSetup, head: number): Plain | null {
  const descriptors = follow(memory, BigInt(setup.descriptors), setup.size, head)
  const last = descriptors?.at(-1)
  if (!descriptors || !last) return null
  if (descriptors.slice(0, -1).some(({ flags }) => flags & 4)) return null
  if (!(last.flags & 4)) return sorted(memory, descriptors)
  if (!(setup.features & VIRTIO_RING_F_INDIRECT_DESC) || last.flags & 1) return null
  const count = last.length / 16
  if (!Number.isInteger(count) || count < 1 || count > 1024) return null
  // A table is looked for in one window: the windows of these tests are short.
  if (last.length > layout.overlapBytes || !memory.at(last.address, last.length)) return null
  const table = follow(memory, last.address, count, 0)
  if (!table || table.some(({ flags }) => flags & 4)) return null
  return sorted(memory, [...descriptors.slice(0, -1), ...table])
}

type Read = RawDescriptor & { readonly address: bigint }

function follow(memory: GuardedMemory, table: bigint, count: number, first: number): Read[] | null {
  const seen = new Set<number>()
  const found: Read[] = []
  for (let index = first; ;) {
    if (index >= count || seen.has(index)) return null
    seen.add(index)
    const at = table + BigInt(16 * index)
    const [length, flags, next] = [
      Number(memory.get(at + 8n, 4)),
      Number(memory.get(at + 12n, 2)),
      Number(memory.get(at + 14n, 2)),
    ]
    found.push({ address: memory.get(at, 8), length, flags, next })
    if (flags & 4 || !(flags & 1)) return found
    index = next
  }
}

function sorted(memory: GuardedMemory, descriptors: readonly Read[]): Plain | null {
  const isWritable = ({ flags }: Read): boolean => (flags & 2) !== 0
  const first = descriptors.findIndex(isWritable)
  if (first >= 0 && !descriptors.slice(first).every(isWritable)) return null
  const pieces = descriptors.filter(({ length }) => length > 0)
  if (pieces.some(({ address, length }) => !memory.at(address, length))) return null
  if (pieces.reduce((sum, { length }) => sum + length, 0) > 2 ** 32) return null
  const extents = (of: readonly Read[]): Extents =>
    joined(of.map(({ address, length }) => [address, BigInt(length)]))
  return {
    readable: extents(pieces.filter((piece) => !isWritable(piece))),
    writable: extents(pieces.filter(isWritable)),
  }
}

function joined(extents: Extents): Extents {
  const result: Extents = []
  for (const [address, length] of extents) {
    const last = result.at(-1)
    if (last && last[0] + last[1] === address) last[1] += length
    else result.push([address, length])
  }
  return result
}

/** What a chain that was read has, in the same form. */
export function plainOf({ readable, writable }: Chain): Plain {
  const extents = (pieces: Chain['readable']): Extents =>
    joined(
      Array.from({ length: pieces.count }, (_, index) => [
        BigInt(pieces.guest(index)),
        BigInt(pieces.size(index)),
      ]),
    )
  return { readable: extents(readable), writable: extents(writable) }
}
