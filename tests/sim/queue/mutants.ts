/**
 * Changes of the library that the world of `WorkQueue` notices.
 *
 * @module
 */
import { noticedBy, type Mutant } from '../mutant.js'
import { worldOf } from './queue.js'

const mutants: readonly Mutant[] = [
  {
    breaks: 'a worker claims a work, whoever was first',
    file: 'src/ring/slot.ts',
    from: 'return memory.replace(words, slotOf(slot) + Slot.STATE, seen, claimed)',
    to: 'memory.store(words, slotOf(slot) + Slot.STATE, claimed); return true',
    seed: 7,
  },
  {
    breaks: 'low works are taken first',
    file: 'src/wq/serving.ts',
    from: 'takeNext(words, level, seat)',
    to: 'takeNext(words, levels.length - 1 - level, seat)',
    seed: 1,
  },
  {
    breaks: 'a work hangs on to a chain that is closed',
    file: 'src/ring/slot.ts',
    from: 'return memory.replace(words, slotOf(last) + Slot.NEXT, OPEN, slot + 1)',
    to: 'memory.store(words, slotOf(last) + Slot.NEXT, slot + 1); return true',
    seed: 9,
  },
  {
    breaks: 'the works of a thread that has died are not settled',
    file: 'src/wq/account.ts',
    from: 'this.ends.died(server, work, error)) count++',
    to: 'false) count++',
    seed: 1,
  },
  {
    breaks: 'a work whose thread has died runs again, though it had begun',
    file: 'src/wq/ends.ts',
    from: 'return memory.load(lane.memory.words, slotOf(work.slot) + Slot.BEGAN) === 0',
    to: 'return true',
    seed: 1,
  },
  {
    breaks: 'a worker is made beyond the limit of an owner',
    file: 'src/worker/limits.ts',
    from: 'if (full === null) {',
    to: 'if (words !== null) {',
    seed: 2,
  },
  {
    breaks: 'a cancelled work keeps its place in the line of its key',
    file: 'src/wq/keys.ts',
    from: 'if (link.line.last === work) link.line.last = link.before',
    to: '',
    seed: 9,
  },
  {
    breaks: 'a work does not wait for those before it',
    file: 'src/wq/dependents.ts',
    from: 'else if (left > 1) this.#waiting.set(dependent, left - 1)',
    to: 'else if (left > 1000) return',
    seed: 2,
  },
]

/** More seeds than this are not tried. */
const mostSeeds = 80

/** @returns for each mutant the seed that notices it; null: none does */
export async function tryMutants(): Promise<Record<string, number | null>> {
  const found: Record<string, number | null> = {}
  for (const { breaks, seed, ...change } of mutants) {
    found[breaks] = await noticedBy(worldOf(change), seed, mostSeeds)
  }
  return found
}
