/**
 * The guest: its memory, and the queues of its driver.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { built } from '../built.js'
import { EventThing, type System } from './system.js'

const mapping = await built<typeof import('../../../src/os/mapping.js')>('os/mapping.js')
const { DriverMemory } = await built<typeof import('../../../src/testing/driver-memory.js')>(
  'testing/driver-memory.js',
)
const { VirtqueueDriver } = await built<typeof import('../../../src/testing/virtqueue-driver.js')>(
  'testing/virtqueue-driver.js',
)

type Driver = InstanceType<typeof VirtqueueDriver>
type Buffer = import('../../../src/testing/virtqueue-driver.js').DriverBuffer

/** Where the frontend says that it has mapped the guest's memory: so far from the guest's addresses. */
const userOffset = 0x7f00_0000_0000

/** A file of memory that is mapped here, until the end. */
export class SharedFile {
  readonly fd: number
  readonly bytes: Uint8Array
  readonly #address: number
  readonly #length: number

  constructor(length: number) {
    this.#length = length
    this.fd = mapping.memoryFile('simulated', length)
    this.#address = mapping.map(this.fd, length)
    this.bytes = new Uint8Array(mapping.viewOf(this.#address, length))
  }

  /** What it holds now. @returns what puts that back */
  frozen(): () => void {
    const copy = this.bytes.slice()
    return () => this.bytes.set(copy)
  }

  close(): void {
    mapping.unmap(this.#address, this.#length)
    closeSync(this.fd)
  }
}

/** A region of the guest's memory. */
export interface GuestRegion {
  readonly description: { guest: number; size: number; user: number; offset: number }
  /** Takes room in it. */
  readonly room: InstanceType<typeof DriverMemory>
}

const guestBase = 0x100000
/** The rings lie in the first region, buffers in both. */
const sizes = [0x60000, 0x10000] as const

/** The guest's memory: a file with two regions that the backend may be told of. */
export class GuestMemory {
  readonly file = new SharedFile(sizes[0] + sizes[1])
  readonly all = new DriverMemory(this.file.bytes, { guest: guestBase })
  readonly regions: readonly GuestRegion[]

  constructor() {
    const [first, second] = sizes
    const beginning = this.all.allocate(first)
    const end = this.all.allocate(second)
    this.all.free(beginning)
    const room = new DriverMemory(this.file.bytes.subarray(first), { guest: end })
    this.regions = [
      { description: describedAt(guestBase, first, 0), room: this.all },
      { description: describedAt(end, second, first), room },
    ]
  }

  /** The bytes of a dirty log for all of it. */
  get logBytes(): number {
    return Math.ceil((guestBase + sizes[0] + sizes[1]) / 4096 / 64) * 8
  }
}

const describedAt = (guest: number, size: number, offset: number): GuestRegion['description'] => ({
  guest,
  size,
  user: toUser(guest),
  offset,
})

const toUser = (guest: number): number => guest + userOffset

/** Bytes on either side of a buffer that nobody may touch. */
const guardBytes = 32
const guard = 0xa7

/** A buffer with its guards. */
export interface Guarded {
  readonly region: GuestRegion
  readonly taken: number
  readonly buffer: Buffer
  /** What the device was given to read; null where it may write. */
  readonly given: Uint8Array | null
}

/** Takes room for a buffer, at any address. */
export function takeBuffer(
  system: System,
  region: GuestRegion,
  length: number,
  given: Uint8Array | null,
): Guarded {
  const shift = system.below(16)
  const taken = region.room.allocate(length + shift + 2 * guardBytes)
  const all = region.room.at(taken, length + shift + 2 * guardBytes)
  all.fill(guard)
  const address = taken + guardBytes + shift
  if (given !== null) region.room.at(address, length).set(given)
  return { region, taken, buffer: { address, length, isWritable: given === null }, given }
}

/** Gives it back. @returns whether all is as it should be: the guards, and what was only to be read */
export function giveBuffer({ region, taken, buffer, given }: Guarded): boolean {
  const { address, length } = buffer
  const before = region.room.at(taken, address - taken)
  const after = region.room.at(address + length, guardBytes)
  const own = region.room.at(address, length)
  const isWhole =
    before.every((byte) => byte === guard) &&
    after.every((byte) => byte === guard) &&
    (given === null || own.every((byte, at) => byte === given[at]))
  region.room.free(taken)
  return isWhole
}

export function bytesOf({ region, buffer }: Guarded): Uint8Array {
  return region.room.at(buffer.address, buffer.length)
}

/** A queue of the driver. */
export class GuestQueue {
  readonly index: number
  readonly size: number
  kick = new EventThing()
  call = new EventThing()
  error = new EventThing()
  /** Whether it was kicked less often than it should. */
  owesKick = false
  /** Whether something was offered that breaks it. */
  isPoisoned = false
  driver: Driver
  readonly #memory: GuestMemory

  constructor(index: number, size: number, features: bigint, memory: GuestMemory) {
    this.index = index
    this.size = size
    this.#memory = memory
    this.driver = new VirtqueueDriver(memory.all, { size, features })
  }

  /** Lays it out anew. */
  reset(features: bigint, base: number): void {
    const { descriptors, available, used } = this.driver
    for (const address of [descriptors, available, used]) this.#memory.all.free(address)
    this.driver = new VirtqueueDriver(this.#memory.all, { size: this.size, features, base })
    this.owesKick = false
    this.isPoisoned = false
  }

  get usedIndex(): number {
    const bytes = this.#memory.all.at(this.driver.used, 4)
    return new Uint16Array(bytes.buffer, bytes.byteOffset, 2)[1] as number
  }

  get availableIndex(): number {
    const bytes = this.#memory.all.at(this.driver.available, 4)
    return new Uint16Array(bytes.buffer, bytes.byteOffset, 2)[1] as number
  }

  addresses(
    flags: number,
  ): Record<'index' | 'flags' | 'descriptors' | 'available' | 'used' | 'log', number> {
    const { descriptors, available, used } = this.driver
    return {
      index: this.index,
      flags,
      descriptors: toUser(descriptors),
      available: toUser(available),
      used: toUser(used),
      log: used,
    }
  }
}
