/**
 * Where a vring is served, and how far that has come.
 *
 * @module
 */
import type { VringSetup } from './backend.js'
import type { VhostWorker } from './worker/index.js'

/** One vring of a device. */
export interface Vring {
  worker: VhostWorker | null
  /** How it runs; null while it stands. */
  setup: VringSetup | null
  item: number
  /** Whether it was broken since it began. */
  isBroken: boolean
  /** Why it stands, where its worker has ended while it ran: nobody knows how far it came. */
  lost: Error | null
  /** What was asked of it last. */
  turn: Promise<unknown>
}

/** A vring that nobody has set up. */
export function standing(): Vring {
  return {
    worker: null,
    setup: null,
    item: 0,
    isBroken: false,
    lost: null,
    turn: Promise.resolve(),
  }
}
