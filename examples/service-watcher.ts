/** The thread of `service.ts` that watches. */
import type { Self } from 'userworker'

export default async function watch(
  { found, everyMs }: { found: Int32Array; everyMs: number },
  self: Self,
): Promise<number> {
  while (!self.shouldStop()) {
    Atomics.add(found, 0, 1)
    await self.sleep(everyMs)
  }
  return 0
}
