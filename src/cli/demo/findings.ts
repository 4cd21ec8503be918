/**
 * What the demo found on its way and has to name. Lists are cut, so that they need no more memory
 * for a million files than for ten.
 *
 * @module
 */
import { shown } from './path.js'
import { pathOf, type Entry } from './tree.js'

/** More names than this help nobody. */
const mostNamed = 20

/** A list of which the first entries are kept and all are counted. */
export class NamedList {
  readonly #named: string[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add(entry: string): void {
    this.#count++
    if (this.#named.length < mostNamed) this.#named.push(entry)
  }

  /** One line for each entry that was kept, and one for the number of the others. */
  lines(): string[] {
    const others = this.#count - this.#named.length
    const lines = this.#named.map((entry) => `  ${entry}`)
    return others === 0 ? lines : [...lines, `  and ${others} more`]
  }
}

/** Everything a run of the demo has to name. */
export class Findings {
  /** Files and folders that cannot be read; they are no part of the demo. */
  readonly unreadable: NamedList = new NamedList()
  /** Files that somebody changed while the demo ran; they are not compared. */
  readonly changed: NamedList = new NamedList()
  /** Where what a run made is not what it should be. */
  readonly mismatches: NamedList = new NamedList()

  /** Names a file that somebody changed, once. */
  change(entry: Entry, how: string): void {
    if (entry.changed) return
    entry.changed = true
    this.changed.add(`${shown(pathOf(entry))} (${how})`)
  }
}

/** A reason to end with one line for the user, and an exit code. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message)
  }
}
