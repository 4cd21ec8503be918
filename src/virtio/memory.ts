/**
 * The guest's memory, as this process sees it: regions, and windows into them.
 *
 * The border: what comes from a guest is an address and a length, and nothing behind this file has to
 * check them again. A region may be longer than a view can be, so it is seen through windows. They overlap:
 * whatever is not longer than {@link overlapBytes} lies in one of them as a whole, as all rings and tables
 * of descriptors do.
 *
 * @module
 */
import { longestViewBytes } from '../os/mapping.js'

/**
 * By how much a window reaches into the next: more than the longest table of descriptors, which has 32768
 * of 16 bytes.
 */
export const overlapBytes: number = 2 ** 20

/** How the windows into a region lie. */
export interface WindowLayout {
  /** From the beginning of a window to that of the next, in bytes. */
  readonly stepBytes: number
  /** By how much a window reaches into the next, in bytes. */
  readonly overlapBytes: number
}

const usualLayout: WindowLayout = { stepBytes: longestViewBytes - overlapBytes, overlapBytes }

/** A piece of a region that is to be one window: where it begins in the region, and its length. */
export interface Extent {
  readonly offset: number
  readonly length: number
}

/** Which windows a region of so many bytes has: views of these are what {@link GuestMemory} is given. */
export function windowsOf(size: number, layout: WindowLayout = usualLayout): Extent[] {
  const { stepBytes, overlapBytes: overlap } = layout
  const windows: Extent[] = []
  for (let offset = 0; offset === 0 || offset + overlap < size; offset += stepBytes)
    windows.push({ offset, length: Math.min(stepBytes + overlap, size - offset) })
  return windows
}

/** A region of the guest's memory that this process can see. */
export interface GuestRegion {
  /** Its address for the guest. */
  readonly guest: number
  /** Its length in bytes. */
  readonly size: number
  /** Its address in this process, for system calls; 0 where nothing is mapped. */
  readonly address: number
  /** Views of it, laid out as {@link windowsOf} says. */
  readonly windows: readonly Uint8Array[]
}

/** A window into a region. */
export interface Window {
  readonly bytes: Uint8Array
  /** The same bytes, for numbers at any place. */
  readonly view: DataView
  /** The address of its first byte for the guest. */
  readonly guest: number
  /** The address of its first byte in this process; 0 where nothing is mapped. */
  readonly address: number
}

/** A region as {@link GuestMemory.find} gives it. */
export interface Region {
  readonly guest: number
  readonly size: number
  readonly stepBytes: number
  readonly windows: readonly Window[]
}

/** Something that lies in one window as a whole. */
export interface Place {
  readonly window: Window
  /** Where it begins in the window. */
  readonly offset: number
}

/** No address is in it. */
const nowhere: Region = { guest: 0, size: -1, stepBytes: 1, windows: [] }

/** The guest's memory. It does not change: when the regions do, there is a new one. */
export class GuestMemory {
  /** By their guest addresses, upwards. */
  readonly #regions: readonly Region[]
  readonly #overlapBytes: number
  /** The region that was found last: mostly it is the next one too. */
  #last: Region

  /** @throws RangeError: regions overlap, reach beyond 2^53, or have other windows than they should */
  constructor(regions: readonly GuestRegion[], layout: WindowLayout = usualLayout) {
    this.#regions = regions
      .map((region) => checkedRegion(region, layout))
      .sort((a, b) => a.guest - b.guest)
    for (const [index, { guest }] of this.#regions.entries()) {
      const before = this.#regions[index - 1] ?? nowhere
      if (guest < before.guest + before.size)
        throw new RangeError(`Two regions of memory overlap at ${hex(guest)}`)
    }
    this.#overlapBytes = layout.overlapBytes
    this.#last = this.#regions[0] ?? nowhere
  }

  /**
   * The region that has all of these bytes, or null. Numbers from 2^53 on need not be exact: no region
   * reaches that far, and rounding keeps the order.
   */
  find(address: number, length: number): Region | null {
    const last = this.#last
    if (address >= last.guest && address - last.guest <= last.size - length) return last
    return this.#search(address, length)
  }

  /** Where something lies; null where it is not in the memory, or longer than windows overlap. */
  place(address: number, length: number): Place | null {
    if (length > this.#overlapBytes) return null
    const region = this.find(address, length)
    if (region === null) return null
    const inRegion = address - region.guest
    const window = windowAt(region, inRegion)
    const offset = inRegion - (window.guest - region.guest)
    return { window, offset }
  }

  #search(address: number, length: number): Region | null {
    const regions = this.#regions
    let low = 0
    let high = regions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((regions[middle] as Region).guest <= address) low = middle + 1
      else high = middle
    }
    const region = regions[low - 1]
    if (region === undefined || address - region.guest > region.size - length) return null
    this.#last = region
    return region
  }
}

/** The window that shows most of what follows an offset in a region. */
export function windowAt({ stepBytes, windows }: Region, offset: number): Window {
  const index = Math.floor(offset / stepBytes)
  return (index < windows.length ? windows[index] : windows[windows.length - 1]) as Window
}

function checkedRegion(region: GuestRegion, layout: WindowLayout): Region {
  const { guest, size, address } = region
  const end = guest + size
  if (!isPlace(guest) || !isPlace(size) || size === 0 || !isPlace(end))
    throw new RangeError(`A region of memory at ${hex(guest)} cannot have ${size} bytes`)
  const extents = windowsOf(size, layout)
  const isAsLong = region.windows.every(({ length }, index) => length === extents[index]?.length)
  if (region.windows.length !== extents.length || !isAsLong)
    throw new RangeError(`The region of memory at ${hex(guest)} is not seen through its windows`)
  const windows = region.windows.map((bytes, index) => {
    const { offset } = extents[index] as Extent
    return {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      guest: guest + offset,
      address: address === 0 ? 0 : address + offset,
    }
  })
  return { guest, size, stepBytes: layout.stepBytes, windows }
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** An address as people write it. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`
}
