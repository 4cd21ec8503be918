/**
 * Which moves commute, and which meet no other thread at all.
 *
 * @module
 */
import type { Move } from './world.js'

/**
 * Whether two moves of a state lead to the same state in either order, and neither hinders the other. They do
 * unless one changes what matters to the other.
 */
export function independent(a: Move, b: Move): boolean {
  return !meets(a.changes, b.touches) && !meets(b.changes, a.touches)
}

function meets(places: readonly number[], others: readonly number[]): boolean {
  return places.some((place) => others.includes(place))
}

/** A search relied on a place being private that another thread turned out to use: it begins again. */
export class NotPrivate extends Error {
  override readonly name = 'NotPrivate'
}

/**
 * Who was seen to use which place, in all searches so far.
 *
 * A move is private if all places it changes are used by its thread alone, and all that matter to it are changed by
 * no other. Such a move commutes with all that other threads can do before it, now or later; so it is enough to
 * explore it alone, and the others after it (a persistent set of one move). Whether a place is private
 * is learnt from the search itself: it trusts what it saw so far, and where that turns out wrong, the search
 * begins again with what is known by then. The search that ends has relied on nothing wrong: on the way of any
 * other thread to the first step that meets a private one, all steps commute with the private one, so that very
 * step was seen behind it. Histories are part of the states, so there are no cycles in which a thread
 * could be forgotten.
 */
export class Privacy {
  readonly #touched: number[] = []
  readonly #changed: number[] = []
  /** The threads that relied on being the only one to touch, or to change, a place. */
  readonly #ownTouch: number[] = []
  readonly #ownChange: number[] = []

  /**
   * Notes what the moves of a state use. Those of blocked threads count: a private move may be what blocks
   * them, as when two threads wait for one message.
   */
  learn(moves: readonly Move[]): void {
    for (const move of moves) {
      const bit = userOf(move)
      for (const place of move.touches) {
        this.#touched[place] = (this.#touched[place] ?? 0) | bit
        if (((this.#ownTouch[place] ?? 0) & ~bit) !== 0) throw new NotPrivate()
      }
      for (const place of move.changes) {
        this.#changed[place] = (this.#changed[place] ?? 0) | bit
        if (((this.#ownChange[place] ?? 0) & ~bit) !== 0) throw new NotPrivate()
      }
    }
  }

  /** The first private one among the moves of a state. From here on the search relies on that. */
  find(moves: readonly Move[]): Move | null {
    const found = moves.find((move) => this.#isPrivate(move))
    if (found === undefined) return null
    const bit = userOf(found)
    for (const place of relied(found)) this.#ownChange[place] = (this.#ownChange[place] ?? 0) | bit
    for (const place of found.changes) this.#ownTouch[place] = (this.#ownTouch[place] ?? 0) | bit
    return found
  }

  /** A search begins again: it relies on nothing yet. */
  forget(): void {
    this.#ownTouch.length = 0
    this.#ownChange.length = 0
  }

  #isPrivate(move: Move): boolean {
    const others = ~userOf(move)
    return (
      move.way !== 'death' &&
      relied(move).every((place) => ((this.#changed[place] ?? 0) & others) === 0) &&
      move.changes.every((place) => ((this.#touched[place] ?? 0) & others) === 0)
    )
  }
}

/**
 * The places that must not be changed by another. A move that changes nothing may as well come before the
 * thread's termination: the thread is gone behind it in either order, and all else is as it was. So whether somebody
 * may end the thread, which the first place tells, does not matter to it.
 */
function relied({ changes, touches }: Move): readonly number[] {
  return changes.length === 0 ? touches.slice(1) : touches
}

/** A bit for who moves. That a kill takes effect is nobody's move. */
function userOf({ way, thread }: Move): number {
  return way === 'death' ? 1 << 30 : 1 << thread
}
