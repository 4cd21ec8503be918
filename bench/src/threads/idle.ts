/** A worker that does nothing until it is asked to stop. */
import type { Self } from '../../../dist/index.js'

const forEverMs = 2 ** 31 - 1

export default async function idle(_data: unknown, self: Self): Promise<void> {
  await self.sleep(forEverMs)
}
