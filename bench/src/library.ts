/**
 * The library under measurement, from its build, and what of it is there.
 *
 * @module
 */
import * as built from '../../dist/index.js'
import type { Self, UserWorker as Built, UserWorkerOptions } from '../../dist/index.js'

/** A worker that can be parked and woken. */
export interface Parkable extends Built {
  park(): Promise<void>
  unpark(): void
  wake(): void
}

/** A worker's function in batches: the loop and its sleep are the library's. */
type Loop = (batch: (data: SharedArrayBuffer, self: Self) => boolean) => unknown

/** A worker's view of itself, with a place where it can be parked. */
export interface ParkableSelf extends Self {
  checkpoint(): void
}

interface Coming {
  spares(count: number): Promise<void>
  create<Data>(module: URL, options?: UserWorkerOptions<Data>): Promise<Parkable>
}

/** The class, with the methods that a measure says it needs. */
export const UserWorker = built.UserWorker as Coming & typeof Built

export const loop: Loop = (built as unknown as { loop?: Loop }).loop ?? ((batch) => batch)

/** Parts of the library that a measure may need. */
export type Part = 'spares' | 'park' | 'loop'

/** Whether the library measured has a part. */
export function has(part: Part): boolean {
  if (part === 'loop') return 'loop' in built
  return part === 'spares' ? 'spares' in built.UserWorker : 'park' in built.UserWorker.prototype
}
