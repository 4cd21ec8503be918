/**
 * The pieces of memory that are one direction of a request.
 *
 * @module
 */
import { windowAt, type Region, type Window } from './memory.js'
import type { Segments } from './request.js'

/** Up to so many bytes, a loop is quicker than a view. */
const shortBytes = 32

/** Pieces of the guest's memory, in order; used again for the next request. */
export class Pieces implements Segments {
  count = 0
  length = 0
  /** By piece: the window it lies in, where it begins there, and its bytes. Longer than `count`. */
  readonly #windows: Window[] = []
  readonly #offsets: number[] = []
  readonly #sizes: number[] = []

  /** There are no pieces now. */
  clear(): void {
    this.count = 0
    this.length = 0
  }

  /** Adds bytes of a region, which has them. Several pieces where they are in no window as a whole. */
  add(region: Region, address: number, length: number): void {
    this.length += length
    let offset = address - region.guest
    let left = length
    do {
      const window = windowAt(region, offset)
      const inWindow = offset - (window.guest - region.guest)
      const size = Math.min(left, window.bytes.length - inWindow)
      this.#append(window, inWindow, size)
      offset += size
      left -= size
    } while (left > 0)
  }

  #append(window: Window, offset: number, size: number): void {
    const last = this.count - 1
    if (last >= 0 && this.#windows[last] === window) {
      const before = this.#sizes[last] as number
      if ((this.#offsets[last] as number) + before === offset) {
        this.#sizes[last] = before + size
        return
      }
    }
    const count = this.count++
    this.#windows[count] = window
    this.#offsets[count] = offset
    this.#sizes[count] = size
  }

  address(index: number): number {
    const { address } = this.#window(index)
    return address === 0 ? 0 : address + (this.#offsets[index] as number)
  }

  /** Where a piece begins for the guest. */
  guest(index: number): number {
    return this.#window(index).guest + (this.#offsets[index] as number)
  }

  size(index: number): number {
    this.#window(index)
    return this.#sizes[index] as number
  }

  bytes(index: number): Uint8Array {
    return part(this.#window(index), this.#offsets[index] as number, this.size(index))
  }

  read(offset: number, target: Uint8Array): number {
    let done = 0
    let skip = offset
    for (let index = 0; index < this.count && done < target.length; index++) {
      const room = (this.#sizes[index] as number) - skip
      if (room <= 0) {
        skip = -room
        continue
      }
      const window = this.#windows[index] as Window
      const from = (this.#offsets[index] as number) + skip
      const size = Math.min(room, target.length - done)
      if (size > shortBytes) target.set(part(window, from, size), done)
      else for (let at = 0; at < size; at++) target[done + at] = window.bytes[from + at] as number
      done += size
      skip = 0
    }
    return done
  }

  write(offset: number, source: Uint8Array): number {
    let done = 0
    let skip = offset
    for (let index = 0; index < this.count && done < source.length; index++) {
      const room = (this.#sizes[index] as number) - skip
      if (room <= 0) {
        skip = -room
        continue
      }
      const { bytes } = this.#windows[index] as Window
      const to = (this.#offsets[index] as number) + skip
      const size = Math.min(room, source.length - done)
      if (size > shortBytes) bytes.set(source.subarray(done, done + size), to)
      else for (let at = 0; at < size; at++) bytes[to + at] = source[done + at] as number
      done += size
      skip = 0
    }
    return done
  }

  fill(offset: number, length: number, value = 0): number {
    let done = 0
    let skip = offset
    for (let index = 0; index < this.count && done < length; index++) {
      const room = (this.#sizes[index] as number) - skip
      if (room <= 0) {
        skip = -room
        continue
      }
      const from = (this.#offsets[index] as number) + skip
      const size = Math.min(room, length - done)
      const { bytes } = this.#windows[index] as Window
      bytes.fill(value, from, from + size)
      done += size
      skip = 0
    }
    return done
  }

  #window(index: number): Window {
    const window = index < this.count ? this.#windows[index] : undefined
    if (window === undefined) throw new RangeError(`There is no piece ${index} of ${this.count}`)
    return window
  }
}

function part({ bytes }: Window, offset: number, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, size)
}
