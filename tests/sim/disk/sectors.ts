/**
 * The reference disk: for each sector, all that may be in it.
 *
 * A write that is under way, or failed, or nobody knows the end of, may be there or not. One that was done
 * has replaced all that ended before it began. What was replaced may come back with a loss of power, until a
 * flush that began later is done.
 *
 * @module
 */
export const sectorBytes = 512
const sectorWords = sectorBytes / 4

/** What may be in a sector. */
interface Candidate {
  readonly value: number
  /** When its write ended; infinity while it is under way. */
  to: number
}

/** What was in a sector. */
interface Replaced {
  readonly candidate: Candidate
  readonly at: number
  /** Whether it cannot come back. */
  isGone: boolean
}

/** A write, a zeroing, a discard. */
export interface Change {
  readonly first: number
  readonly from: number
  readonly candidates: readonly Candidate[]
}

/** Fills a sector with its value: each word is another, so that none can be in the place of another. */
export function fillSector(value: number, bytes: Uint8Array): void {
  const words = new Uint32Array(sectorWords)
  if (value !== 0) for (let at = 0; at < sectorWords; at++) words[at] = mixed(value, at)
  bytes.set(new Uint8Array(words.buffer))
}

/** @returns null where these bytes are none that anybody wrote */
export function valueOf(bytes: Uint8Array): number | null {
  const words = new Uint32Array(bytes.slice(0, sectorBytes).buffer)
  const value = words[0] as number
  for (let at = 0; at < sectorWords; at++)
    if (words[at] !== (value === 0 ? 0 : mixed(value, at))) return null
  return value
}

const mixed = (value: number, at: number): number => (value + Math.imul(at, 0x9e3779b1)) >>> 0

export class Sectors {
  readonly #now: Candidate[][] = []
  readonly #before: Replaced[][] = []
  #time = 0
  #lastValue = 0

  /** The disk has so many sectors at least; what is new holds zeros. */
  grow(sectors: number): void {
    while (this.#now.length < sectors) {
      this.#now.push([{ value: 0, to: 0 }])
      this.#before.push([])
    }
  }

  /** A value that nobody wrote before. */
  newValue(): number {
    return ++this.#lastValue
  }

  /** What was there at the beginning. */
  begins(sector: number, value: number): void {
    this.#now[sector] = [{ value, to: 0 }]
  }

  time(): number {
    return ++this.#time
  }

  /** A change begins. */
  change(first: number, values: readonly number[]): Change {
    const from = this.time()
    const candidates = values.map((value) => ({ value, to: Infinity }))
    candidates.forEach((each, index) => this.#now[first + index]?.push(each))
    return { first, from, candidates }
  }

  /**
   * A change ended.
   *
   * @param isDone - whether all of it is there
   * @param isDurable - whether it survives a loss of power
   */
  changed({ first, from, candidates }: Change, isDone: boolean, isDurable: boolean): void {
    const at = this.time()
    candidates.forEach((own, index) => {
      own.to = at
      if (!isDone) return
      const all = this.#now[first + index] ?? []
      const replaced = all.filter((each) => each !== own && each.to < from)
      this.#now[first + index] = all.filter((each) => !replaced.includes(each))
      for (const candidate of replaced)
        this.#before[first + index]?.push({ candidate, at, isGone: isDurable })
    })
  }

  /** A flush that began at `from` is done. */
  flushed(from: number): void {
    for (const sector of this.#before)
      for (const each of sector) if (each.at < from) each.isGone = true
  }

  /** The power failed, when nothing was under way. */
  crashed(): void {
    this.#before.forEach((sector, index) => {
      for (const { candidate, isGone } of sector)
        if (!isGone) this.#now[index]?.push({ value: candidate.value, to: this.#time })
      sector.length = 0
    })
  }

  /** Whether a read that began at `from` may find this. @returns what is wrong; null if nothing */
  wrongIn(first: number, bytes: Uint8Array, from: number): string | null {
    for (let index = 0; index * sectorBytes < bytes.length; index++) {
      const value = valueOf(bytes.subarray(index * sectorBytes, (index + 1) * sectorBytes))
      const sector = first + index
      const may = this.#mayHold(sector, from)
      if (value === null || !may.has(value))
        return `sector ${sector} holds ${value}, and not one of ${[...may].join(', ')}`
    }
    return null
  }

  #mayHold(sector: number, from: number): Set<number> {
    const may = new Set((this.#now[sector] ?? []).map(({ value }) => value))
    for (const { candidate, at } of this.#before[sector] ?? [])
      if (at > from) may.add(candidate.value)
    return may
  }
}
