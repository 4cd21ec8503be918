/**
 * What the load's own workers run.
 *
 * @module
 */
import type { Self } from 'userworker'

/** How a worker spends its time until it is stopped. */
export type Way = 'sleep' | 'wait' | 'spin' | 'return'

export default async function run(way: Way, self: Self): Promise<number> {
  let turns = 0
  while (way !== 'return' && !self.shouldStop()) {
    if (way === 'sleep') await self.sleep(5)
    else if (way === 'wait') self.sleepSync(5)
    else self.checkpoint()
    turns++
  }
  return turns < 0 ? 1 : 42
}
