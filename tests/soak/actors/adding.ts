/**
 * The plainest work, which must come right whatever happens beside it.
 *
 * @module
 */
import type { WorkOptions } from 'userworker'
import type { Dice, Queue } from './actor.js'
import type { End, Ledger } from '../ledger.js'

/** Adds two numbers. @param errors - that it may reject with */
export function adding(
  { ledger, dice }: { ledger: Ledger; dice: Dice },
  queue: Queue,
  kind: string,
  options: WorkOptions = {},
  errors: readonly string[] = [],
): Promise<End<number>> {
  const [a, b] = [dice(1e9), dice(1e9)]
  return ledger.work(kind, (place) => queue.run('add', [place, a, b], options), {
    value: (sum) => sum === a + b,
    errors,
  })
}
