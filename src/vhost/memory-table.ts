/**
 * The guest's memory, as the frontend tells of it: as a whole (SET_MEM_TABLE), or slot by slot
 * (ADD_MEM_REG, REM_MEM_REG). Slots stay until they are removed: QEMU sends them once, and never again
 * when vrings stop and start.
 *
 * A change is made in this order: what is new is mapped; all threads take the new table; what is gone is
 * unmapped. Where the threads could not take it, both stay mapped until the end: nobody knows which of
 * the two they use, and touching what is unmapped ends the process.
 *
 * @module
 */
import { pageBytes } from '../os/mapping.js'
import type { MappedRegion } from './backend.js'
import type { MemoryRegion } from './payloads.js'
import { demand } from './refusal.js'
import { mapFile, unmapFile, type Mapping } from './mapped-file.js'

/** The most slots: what KVM has by default, less three of its own; other backends say the same. */
export const maxMemorySlots = 509

interface Slot {
  readonly region: MappedRegion
  readonly mapping: Mapping
}

/** Makes all threads use these regions. */
type Use = (regions: readonly MappedRegion[]) => Promise<void>

/** All regions of one session. One change at a time. */
export class MemoryTable {
  readonly #use: Use
  #slots: readonly Slot[] = []
  /** What threads that failed to take a change may still use. */
  readonly #doubtful: Slot[] = []

  constructor(use: Use) {
    this.#use = use
  }

  get regions(): readonly MappedRegion[] {
    return this.#slots.map(({ region }) => region)
  }

  /**
   * These, and no others, from now on.
   *
   * @param fds - one for each; they stay open
   * @throws Refusal: nothing has changed
   */
  async replace(descriptions: readonly MemoryRegion[], fds: readonly number[]): Promise<void> {
    demand(fds.length === descriptions.length, 'Each memory region needs a file of its own')
    checkTable(descriptions)
    await this.#change(mapAll(descriptions, fds))
  }

  /** One more. @throws Refusal: nothing has changed */
  async add(description: MemoryRegion, fd: number): Promise<void> {
    demand(this.#slots.length < maxMemorySlots, `All ${maxMemorySlots} memory slots are taken`)
    checkTable([description])
    const other = this.regions.find((region) => overlap(region, description))
    demand(other === undefined, 'The memory region overlaps one that is there already')
    await this.#change([...this.#slots, ...mapAll([description], [fd])])
  }

  /** One less. Where it begins in its file is passed over. @throws Refusal: there is none like it */
  async remove({ guest, size, user }: MemoryRegion): Promise<void> {
    const rest = this.#slots.filter(
      ({ region }) => region.guest !== guest || region.size !== size || region.user !== user,
    )
    const missing = `There is no memory region at ${hex(guest)} that could be removed`
    demand(rest.length < this.#slots.length, missing)
    await this.#change(rest)
  }

  /** The guest's address of so many bytes at an address of the frontend's; null: not in one region. */
  toGuest(user: number, length: number): number | null {
    for (const { region } of this.#slots) {
      const offset = user - region.user
      if (offset >= 0 && offset + length <= region.size) return region.guest + offset
    }
    return null
  }

  /** None from now on. */
  async clear(): Promise<void> {
    if (this.#slots.length > 0) await this.#change([])
  }

  /** Unmaps everything; for the end, when no thread uses any of it. */
  close(): void {
    for (const { mapping } of [...this.#slots, ...this.#doubtful]) unmapFile(mapping)
    this.#slots = []
    this.#doubtful.length = 0
  }

  async #change(next: readonly Slot[]): Promise<void> {
    const before = this.#slots
    const added = next.filter((slot) => !before.includes(slot))
    const removed = before.filter((slot) => !next.includes(slot))
    try {
      await this.#use(next.map(({ region }) => region))
    } catch (error) {
      this.#doubtful.push(...added)
      throw error
    }
    this.#slots = next
    for (const { mapping } of removed) unmapFile(mapping)
  }
}

function mapAll(descriptions: readonly MemoryRegion[], fds: readonly number[]): Slot[] {
  const slots: Slot[] = []
  try {
    for (const [index, { guest, size, user, offset }] of descriptions.entries()) {
      const mapping = mapFile(fds[index] ?? -1, offset, size)
      slots.push({ region: { guest, size, user, address: mapping.address + offset }, mapping })
    }
    return slots
  } catch (error) {
    for (const { mapping } of slots) unmapFile(mapping)
    throw error
  }
}

/** @throws Refusal: a region is none, or two overlap */
function checkTable(descriptions: readonly MemoryRegion[]): void {
  for (const [index, region] of descriptions.entries()) {
    const { guest, size, user, offset } = region
    demand(size > 0, `The memory region at ${hex(guest)} is empty`)
    const fits = [guest, user, offset].every((start) => Number.isSafeInteger(start + size))
    demand(fits, `The memory region at ${hex(guest)} ends beyond all addresses`)
    const aligned = [guest, user, offset].every((start) => start % pageBytes === 0)
    demand(aligned, `The memory region at ${hex(guest)} does not begin at a page`)
    const other = descriptions.slice(0, index).find((before) => overlap(before, region))
    demand(other === undefined, `Memory regions overlap at ${hex(guest)}`)
  }
}

type Extent = Pick<MemoryRegion, 'guest' | 'size' | 'user'>

/** Whether two have an address in common, of the guest's or of the frontend's. */
function overlap(a: Extent, b: Extent): boolean {
  const meet = (from: number, to: number): boolean => from < to + b.size && to < from + a.size
  return meet(a.guest, b.guest) || meet(a.user, b.user)
}

function hex(address: number): string {
  return `0x${address.toString(16)}`
}
