/**
 * Memory that a driver gives to a device: a piece of a guest's, with room taken and given back.
 *
 * @module
 */
import { checkInteger } from '../validate.js'

/** Where the memory lies. */
export interface DriverMemoryOptions {
  /** The address of the first byte for the guest, a multiple of 16; 65536 unless told. */
  readonly guest?: number
}

interface Free {
  offset: number
  length: number
}

/** All room is taken in multiples of it: the most that a part of a virtqueue is aligned to. */
const grain = 16

/**
 * A piece of a guest's memory that drivers share: their queues and buffers lie in it.
 *
 * It works on ordinary memory (`new Uint8Array(65536)`) and on mapped memory alike.
 *
 * @example
 * ```ts
 * const memory = new DriverMemory(new Uint8Array(65536))
 * const driver = new VirtqueueDriver(memory, { size: 8 })
 * driver.add([new Uint8Array([1, 2, 3])], [512])
 * ```
 */
export class DriverMemory {
  /** The memory itself. */
  readonly bytes: Uint8Array
  /** The address of its first byte for the guest. */
  readonly guest: number
  /** What is free, by offset. Neighbours are one. */
  readonly #free: Free[]
  /** What is taken: lengths by offset. */
  readonly #taken = new Map<number, number>()

  /**
   * @param bytes - with a `byteOffset` that is a multiple of 16
   * @throws TypeError EINVAL: `guest` is no multiple of 16, or the memory would end beyond 2^53
   */
  constructor(bytes: Uint8Array, { guest = 0x10000 }: DriverMemoryOptions = {}) {
    checkInteger('guest', guest, 0, Number.MAX_SAFE_INTEGER - bytes.length)
    checkInteger('The remainder of guest divided by 16', guest % grain, 0, 0)
    checkInteger('The remainder of byteOffset divided by 16', bytes.byteOffset % grain, 0, 0)
    this.bytes = bytes
    this.guest = guest
    this.#free = [{ offset: 0, length: Math.floor(bytes.length / grain) * grain }]
  }

  /**
   * Takes room, which holds zeroes.
   *
   * @param length - in bytes
   * @returns its guest address, a multiple of 16
   * @throws RangeError: there is not so much left in one place
   */
  allocate(length: number): number {
    const whole = Math.max(Math.ceil(length / grain), 1) * grain
    const index = this.#free.findIndex((free) => free.length >= whole)
    const free = this.#free[index]
    if (free === undefined) throw new RangeError(`There is no room for ${length} bytes`)
    const { offset } = free
    free.offset += whole
    free.length -= whole
    if (free.length === 0) this.#free.splice(index, 1)
    this.#taken.set(offset, whole)
    this.bytes.fill(0, offset, offset + whole)
    return this.guest + offset
  }

  /**
   * Gives room back.
   *
   * @param address - what {@link allocate} gave
   * @throws RangeError: it did not
   */
  free(address: number): void {
    const offset = address - this.guest
    const length = this.#taken.get(offset)
    if (length === undefined) throw new RangeError(`Nothing was taken at ${address}`)
    this.#taken.delete(offset)
    let index = this.#free.findIndex((free) => free.offset > offset)
    if (index < 0) index = this.#free.length
    this.#free.splice(index, 0, { offset, length })
    this.#join(index)
    this.#join(index - 1)
  }

  /**
   * A view of memory.
   *
   * @param address - a guest address
   * @param length - in bytes
   * @throws RangeError: it is not all in this memory
   */
  at(address: number, length: number): Uint8Array {
    const offset = address - this.guest
    if (!(offset >= 0 && length >= 0 && offset + length <= this.bytes.length))
      throw new RangeError(`${length} bytes at ${address} are not in this memory`)
    return this.bytes.subarray(offset, offset + length)
  }

  /** Makes one of two free places that are neighbours. */
  #join(index: number): void {
    const free = this.#free[index]
    const next = this.#free[index + 1]
    if (free === undefined || next === undefined || free.offset + free.length !== next.offset)
      return
    free.length += next.length
    this.#free.splice(index + 1, 1)
  }
}
