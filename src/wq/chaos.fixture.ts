/**
 * The handler of random works. It tells in shared words what it sees.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { carry } from '../carry/index.js'

/** Carried along with a work, or not. */
export const store = new AsyncLocalStorage<number>()
carry('chaos', store)

/** What all works of a round write to, each at its number. */
export interface Marks {
  /** How often each has begun. */
  readonly begun: Int32Array
  /** Which work was begun how soon. */
  readonly order: Int32Array
  /** The work that runs with a key, plus one. */
  readonly holders: Int32Array
  /** The work that a work found running with its key, plus one. */
  readonly found: Int32Array
  /** Who is frozen, and stands. */
  readonly frozen: Int32Array
  /** How many have begun, and how many of these while frozen. */
  readonly counts: Int32Array
}

/** What a work does. */
export type Deed = 'quick' | 'hold' | 'await' | 'throw' | 'exit' | 'uncaught' | 'spin'

/** A random work. */
export async function act(
  marks: Marks,
  index: number,
  key: number,
  deed: Deed,
  gates: readonly number[],
): Promise<readonly [number, number | null]> {
  Atomics.add(marks.begun, index, 1)
  if (gates.some((gate) => Atomics.load(marks.frozen, gate) === 1)) Atomics.add(marks.counts, 1, 1)
  marks.order[index] = Atomics.add(marks.counts, 0, 1) + 1
  if (key >= 0) marks.found[index] = Atomics.exchange(marks.holders, key, index + 1)
  if (deed === 'exit') process.exit(3)
  if (deed === 'spin') for (;;);
  if (deed === 'uncaught') {
    setImmediate(() => {
      throw new Error('uncaught')
    })
  }
  if (deed === 'hold') for (const until = Date.now() + 5; Date.now() < until;);
  if (deed === 'await' || deed === 'uncaught') await new Promise((next) => setTimeout(next, 5))
  if (key >= 0) Atomics.compareExchange(marks.holders, key, index + 1, 0)
  if (deed === 'throw') throw new RangeError('mine')
  return [index, store.getStore() ?? null]
}
