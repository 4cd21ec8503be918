/**
 * The guest's memory, as a frontend has it: regions of files in memory, and room for drivers.
 *
 * @module
 */
import { invalid } from '../errors.js'
import { memoryFile, pageBytes } from '../os/mapping.js'
import { DriverMemory } from './driver-memory.js'
import { MappedFile } from './mapped-file.js'

/** Where a region of the guest's memory is to lie. */
export interface RegionLayout {
  /** Its address for the guest. */
  readonly guest: number
  /** Its length in bytes: a multiple of 4096. */
  readonly size: number
  /** Where it begins in the file that is given to the backend, in bytes; 0 unless told. */
  readonly offset?: number
}

/** A region of the guest's memory. */
export interface FrontendRegion {
  /** Its address for the guest. */
  readonly guest: number
  /** Its length in bytes. */
  readonly size: number
  /** Its address in the frontend's process, which is this one. */
  readonly user: number
  /** The file that the backend is given, as it is mapped here. */
  readonly area: MappedFile
}

/** Drivers keep away from the guest's first bytes, so that no address of theirs is 0. */
const reservedBytes = 65_536

/** Room for queues and buffers. Requests may be over any other memory of the guest, too. */
class DriversRoom extends DriverMemory {
  readonly #all: FrontendMemory

  constructor(bytes: Uint8Array, guest: number, all: FrontendMemory) {
    super(bytes, { guest })
    this.#all = all
  }

  override at(address: number, length: number): Uint8Array {
    return this.#all.at(address, length)
  }
}

/** The memory of a guest that is none. */
export class FrontendMemory {
  /** The room of the drivers: the first region, without its first 64 KiB. */
  readonly forDrivers: DriverMemory
  #regions: readonly FrontendRegion[]

  /** @throws TypeError EINVAL: there is no region, or the first is too small */
  constructor(layouts: readonly RegionLayout[]) {
    const [first] = layouts
    if (first === undefined || first.size < 2 * reservedBytes) {
      throw invalid(`The first region of memory has at least ${2 * reservedBytes} bytes`)
    }
    this.#regions = layouts.map(makeRegion)
    const [{ area }] = this.#regions as [FrontendRegion]
    const guest = first.guest + reservedBytes
    this.forDrivers = new DriversRoom(area.bytes.subarray(reservedBytes), guest, this)
  }

  /** All regions, as the backend is told of them. */
  get regions(): readonly FrontendRegion[] {
    return this.#regions
  }

  /** Plugs memory in. The backend does not know of it yet. */
  add(layout: RegionLayout): FrontendRegion {
    const region = makeRegion(layout)
    this.#regions = [...this.#regions, region]
    return region
  }

  /** Takes memory out again, and unmaps it. */
  remove(region: FrontendRegion): void {
    this.#regions = this.#regions.filter((one) => one !== region)
    region.area.close()
  }

  /** A view of memory by its guest address. @throws RangeError: it is not all in one region */
  at(address: number, length: number): Uint8Array {
    const region = this.#regionOf(address)
    return region.area.at(address - region.guest, length)
  }

  /** What a guest address is in the frontend's process. */
  userOf(address: number): number {
    const region = this.#regionOf(address)
    return region.user + address - region.guest
  }

  /** Unmaps all. */
  close(): void {
    for (const region of this.#regions) region.area.close()
    this.#regions = []
  }

  #regionOf(address: number): FrontendRegion {
    const found = this.#regions.find(
      (one) => address >= one.guest && address < one.guest + one.size,
    )
    if (found === undefined) throw new RangeError(`The guest has no memory at ${address}`)
    return found
  }
}

function makeRegion({ guest, size, offset = 0 }: RegionLayout): FrontendRegion {
  if (size <= 0 || size % pageBytes !== 0 || offset % pageBytes !== 0) {
    throw invalid(`Regions of memory go by ${pageBytes} bytes`)
  }
  const area = new MappedFile(memoryFile('guest-memory', offset + size), size, offset)
  return { guest, size, user: area.address, area }
}
