/**
 * The guest's requests to the disk: how they are made, and what must have become of them.
 *
 * @module
 */
import {
  bytesOf,
  giveBuffer,
  takeBuffer,
  type Guarded,
  type GuestQueue,
  type GuestRegion,
} from './guest.js'
import { fillSector, sectorBytes, type Change, type Sectors } from './sectors.js'
import type { System } from './system.js'

export const ok = 0
export const failed = 1
const unsupported = 2

const types = { read: 0, write: 1, flush: 4, getId: 8, discard: 11, zeroes: 13 } as const
type Kind = keyof typeof types | 'bad'

/** What may befall operations on a range: which answers may come, and whether OK says that it was done. */
export interface Fate {
  readonly statuses: readonly number[]
  readonly isSure: boolean
}

/** What a disk is like, for the reference. */
export interface Nature {
  readonly sectors: Sectors
  readonly readOnly: boolean
  /** The capacities that hold for requests under way: while the size changes there are two. */
  capacities(): readonly number[]
  readonly serial: string
  fateOf(kind: 'read' | 'write' | 'flush' | 'discard' | 'zero', first: number, count: number): Fate
  /** Whether each write that is answered survives a loss of power. */
  writesThrough(): boolean
}

/** A request under way. */
export interface Asked {
  readonly kind: Kind
  readonly head: number
  readonly buffers: readonly Guarded[]
  readonly first: number
  readonly count: number
  readonly from: number
  readonly statuses: readonly number[]
  readonly isSure: boolean
  readonly changes: readonly Change[]
  /** Bytes that may be written, the status among them. */
  readonly room: number
  readonly wasThrough: boolean
  /** Whether what is written for it is logged from the beginning. */
  isLogged: boolean
}

/** A request before it lies in memory. */
interface Draft {
  readonly kind: Kind
  readonly readable: Uint8Array
  /** Bytes that may be written. */
  readonly room: number
  readonly first: number
  readonly count: number
  readonly statuses: readonly number[]
  readonly isSure: boolean
  /** Begins the changes of the reference. */
  readonly changes: () => Change[]
}

const none = (): Change[] => []
const sure = { isSure: true, changes: none }

function header(type: number, sector: number, data: number): Uint8Array {
  const bytes = new Uint8Array(16 + data)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(8, sector % 2 ** 32, true)
  view.setUint32(12, Math.floor(sector / 2 ** 32), true)
  return bytes
}

/** Makes requests of all kinds. */
export class Requests {
  readonly #system: System
  readonly #nature: Nature
  /** Kinds of faults that the guest itself is the reason of. */
  readonly #fault: (kind: string) => void

  constructor(system: System, nature: Nature, fault: (kind: string) => void) {
    this.#system = system
    this.#nature = nature
    this.#fault = fault
  }

  /** @returns null where there is no room for it now */
  ask(queue: GuestQueue, regions: readonly GuestRegion[], mostPieces: number): Asked | null {
    const draft = this.#draft()
    const buffers: Guarded[] = []
    try {
      const parts = this.#split(draft.readable.length, mostPieces - 1)
      let at = 0
      for (const length of parts) {
        const bytes = draft.readable.subarray(at, at + length)
        buffers.push(takeBuffer(this.#system, this.#system.pick(regions), length, bytes))
        at += length
      }
      for (const length of this.#split(draft.room, Math.max(1, mostPieces - parts.length)))
        buffers.push(takeBuffer(this.#system, this.#system.pick(regions), length, null))
      const head = queue.driver.addBuffers(buffers.map(({ buffer }) => buffer))
      const changes = draft.changes()
      const from = changes[0]?.from ?? this.#nature.sectors.time()
      const wasThrough = this.#nature.writesThrough()
      return { ...draft, head, buffers, from, changes, wasThrough, isLogged: false }
    } catch (error) {
      for (const each of buffers) giveBuffer(each)
      if (error instanceof RangeError) return null
      throw error
    }
  }

  /** Somebody has given it back. @returns what is wrong with that */
  answered(asked: Asked, written: number): string[] {
    const { buffers, kind, room, first, count, from, statuses } = asked
    const wrong: string[] = []
    const writable = buffers.filter(({ given }) => given === null)
    const bytes = joined(writable.map(bytesOf))
    const status = bytes[room - 1] ?? ok
    const what = `${kind} of ${count} sectors at ${first}`
    if (written !== room) wrong.push(`${what}: ${written} bytes were used of ${room}`)
    if (room > 0 && !statuses.includes(status))
      wrong.push(`${what}: its status is ${status}, and not of ${statuses.join(', ')}`)
    if (status === ok) wrong.push(...this.#wrongData(asked, bytes, what))
    const isDone = status === ok && asked.isSure && room > 0
    for (const change of asked.changes)
      this.#nature.sectors.changed(change, isDone, asked.wasThrough && this.#nature.writesThrough())
    if (kind === 'flush' && isDone) this.#nature.sectors.flushed(from)
    for (const each of buffers)
      if (!giveBuffer(each)) wrong.push(`${what}: memory beside it was written`)
    return wrong
  }

  /** Nobody will give it back: what it asked for is done, or not. */
  abandoned({ changes, buffers }: Asked): void {
    for (const change of changes) this.#nature.sectors.changed(change, false, false)
    for (const each of buffers) giveBuffer(each)
  }

  #wrongData({ kind, first, from }: Asked, bytes: Uint8Array, what: string): string[] {
    if (kind === 'read') {
      const wrong = this.#nature.sectors.wrongIn(first, bytes.subarray(0, -1), from)
      return wrong === null ? [] : [`${what}: ${wrong}`]
    }
    if (kind !== 'getId') return []
    const found = new TextDecoder()
      .decode(bytes.subarray(0, Math.min(20, bytes.length - 1)))
      .replace(/\0+$/, '')
    return found === this.#nature.serial.slice(0, bytes.length - 1) ? [] : [`${what}: ${found}`]
  }

  /** Lengths that come to so much: few or many. */
  #split(length: number, most: number): number[] {
    if (length === 0) return []
    const pieces = Math.min(length, 1 + this.#system.below(Math.max(1, Math.min(most, 6))))
    const cuts = Array.from({ length: pieces - 1 }, () => 1 + this.#system.below(length - 1))
    const places = [0, ...new Set(cuts.filter((cut) => cut < length).sort((a, b) => a - b)), length]
    return places.slice(1).map((place, index) => place - (places[index] ?? 0))
  }

  #draft(): Draft {
    const chance = this.#system.below(100)
    if (chance < 35) return this.#read()
    if (chance < 72) return this.#write()
    if (chance < 80) return this.#flush()
    if (chance < 84) return this.#identify()
    if (chance < 88) return this.#range('discard')
    if (chance < 94) return this.#range('zeroes')
    this.#fault('bad request')
    return this.#bad()
  }

  #place(): { first: number; count: number; isInside: readonly boolean[] } {
    const capacities = this.#nature.capacities()
    const sectors = Math.min(...capacities)
    const isBeyond = this.#system.chance(4)
    const count = 1 + this.#system.below(this.#system.chance(80) ? 4 : 12)
    const first = isBeyond
      ? sectors - this.#system.below(3) + this.#system.below(8)
      : this.#system.below(Math.max(1, sectors - count + 1))
    return { first, count, isInside: capacities.map((each) => first + count <= each) }
  }

  #within(statuses: readonly number[], isInside: readonly boolean[]): readonly number[] {
    const may = new Set<number>()
    for (const each of isInside) for (const status of each ? statuses : [failed]) may.add(status)
    return [...may]
  }

  #read(): Draft {
    const { first, count, isInside } = this.#place()
    const { statuses } = this.#nature.fateOf('read', first, count)
    return {
      kind: 'read',
      readable: header(types.read, first, 0),
      room: count * sectorBytes + 1,
      first,
      count,
      statuses: this.#within(statuses, isInside),
      ...sure,
    }
  }

  #write(): Draft {
    const { first, count, isInside } = this.#place()
    const { sectors, readOnly } = this.#nature
    const { statuses, isSure } = this.#nature.fateOf('write', first, count)
    const readable = header(types.write, first, count * sectorBytes)
    const values = Array.from({ length: count }, () => sectors.newValue())
    values.forEach((value, index) =>
      fillSector(
        value,
        readable.subarray(16 + index * sectorBytes, 16 + (index + 1) * sectorBytes),
      ),
    )
    const mayBe = !readOnly && isInside.some(Boolean)
    return {
      kind: 'write',
      readable,
      room: 1,
      first,
      count,
      statuses: readOnly ? [failed] : this.#within(statuses, isInside),
      isSure,
      changes: mayBe ? () => [sectors.change(first, values)] : none,
    }
  }

  #flush(): Draft {
    const { statuses, isSure } = this.#nature.fateOf('flush', 0, 0)
    const readable = header(types.flush, 0, 0)
    return { kind: 'flush', readable, room: 1, first: 0, count: 0, statuses, isSure, changes: none }
  }

  #identify(): Draft {
    const room = this.#system.chance(80) ? 21 : 1 + this.#system.below(30)
    const readable = header(types.getId, 0, 0)
    return { kind: 'getId', readable, room, first: 0, count: 0, statuses: [ok], ...sure }
  }

  #range(kind: 'discard' | 'zeroes'): Draft {
    const { sectors, readOnly } = this.#nature
    const ranges = Array.from({ length: 1 + this.#system.below(3) }, () => this.#place())
    const readable = header(types[kind], 0, 16 * ranges.length)
    const view = new DataView(readable.buffer)
    const isUnmap = kind === 'zeroes' && this.#system.chance(50)
    ranges.forEach(({ first, count }, index) => {
      view.setUint32(16 + 16 * index, first, true)
      view.setUint32(24 + 16 * index, count, true)
      view.setUint32(28 + 16 * index, isUnmap ? 1 : 0, true)
    })
    const what = kind === 'discard' ? 'discard' : 'zero'
    const fates = ranges.map(({ first, count }) => this.#nature.fateOf(what, first, count))
    const isAnyway = fates.find(({ statuses }) => !statuses.includes(ok))
    const statuses = isAnyway?.statuses ?? [...new Set(fates.flatMap((fate) => fate.statuses))]
    const isInside = this.#nature
      .capacities()
      .map((_, at) => ranges.every((range) => range.isInside[at]))
    const mayBe = !readOnly && isInside.some(Boolean)
    const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)
    return {
      kind,
      readable,
      room: 1,
      first: ranges[0]?.first ?? 0,
      count: ranges[0]?.count ?? 0,
      statuses: readOnly ? [failed] : this.#within(statuses, isInside),
      isSure: kind === 'zeroes' && fates.every((fate) => fate.isSure),
      changes: mayBe
        ? () => ranges.map(({ first, count }) => sectors.change(first, zeros(count)))
        : none,
    }
  }

  #bad(): Draft {
    const { first, count } = this.#place()
    const place = { kind: 'bad' as const, first, count, ...sure }
    const statusOf = (status: number): readonly number[] => [
      this.#nature.readOnly ? failed : status,
    ]
    switch (this.#system.below(6)) {
      case 0:
        return { ...place, readable: header(99, 0, 0), room: 1, statuses: [unsupported] }
      case 1:
        return { ...place, readable: new Uint8Array(9), room: 1, statuses: [failed] }
      case 2:
        return { ...place, readable: header(types.flush, 0, 0), room: 0, statuses: [] }
      case 3:
        return { ...place, readable: header(types.write, first, 300), room: 1, statuses: [failed] }
      case 4: {
        const readable = header(types.discard, 0, 16)
        new DataView(readable.buffer).setUint32(28, 6, true)
        return { ...place, readable, room: 1, statuses: statusOf(unsupported) }
      }
      default:
        return { ...place, readable: header(types.read, 2 ** 60, 0), room: 513, statuses: [failed] }
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** One line of it. */
export function describedRequest(
  queue: number,
  { kind, head, changes, first, count }: Asked,
): string {
  const values = changes.map(({ candidates }) => candidates.map(({ value }) => value).join(' '))
  return `queue ${queue}: ${kind} ${head} of ${count} at ${first}: ${values.join(', ')}`
}
