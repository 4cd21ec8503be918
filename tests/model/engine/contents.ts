/**
 * What all places hold, in one state. Equal contents are one and the same object, so that states are quickly
 * compared; and what a change of one place leads to is worked out once.
 *
 * @module
 */

/** What all places hold. */
export interface Contents {
  readonly id: number
  /** By place; places beyond the end hold what they held at first. */
  readonly values: readonly number[]
  /** By place and value: what a change leads to. */
  readonly after: Map<number, Contents>
}

/** All contents of a model that were met. */
export class AllContents {
  readonly first: Contents
  readonly #initial: readonly number[]
  readonly #known = new Map<string, Contents>()

  /** `initial` grows as places are met. */
  constructor(initial: readonly number[]) {
    this.#initial = initial
    this.first = this.#intern([...initial])
  }

  value({ values }: Contents, place: number): number {
    return values[place] ?? this.#initial[place] ?? 0
  }

  /** The contents with another value in a place. */
  with(contents: Contents, place: number, value: number): Contents {
    const change = place * 2 ** 32 + (value >>> 0)
    const known = contents.after.get(change)
    if (known !== undefined) return known
    const values = [...contents.values]
    for (let next = values.length; next < place; next++) values.push(this.#initial[next] ?? 0)
    values[place] = value
    const after = this.#intern(values)
    contents.after.set(change, after)
    return after
  }

  #intern(values: readonly number[]): Contents {
    const differences: number[] = []
    for (const [place, value] of values.entries())
      if (value !== this.#initial[place]) differences.push(place, value)
    const key = differences.join(' ')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const contents = { id: this.#known.size, values, after: new Map<number, Contents>() }
    this.#known.set(key, contents)
    return contents
  }
}
