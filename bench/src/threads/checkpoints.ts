/** A worker that computes without ever waiting, and can be parked meanwhile. */
import type { Self } from '../library-self.js'

export default function checkpoints(_data: unknown, self: Self): void {
  while (!self.shouldStop()) self.checkpoint()
}
