/** A worker that computes without ever waiting, and can be parked meanwhile. */
import type { ParkableSelf } from '../library.js'

export default function checkpoints(_data: unknown, self: ParkableSelf): void {
  while (!self.shouldStop()) self.checkpoint()
}
