/**
 * Who is measured. Where one setting of a peer is best for one thing and another one for another,
 * the peer has two sides, and the better one counts in each case.
 *
 * @module
 */
import { openOurs } from './pools/ours.js'
import { openPiscinaOverlapping, openPiscinaSync } from './pools/piscina.js'
import type { Open } from './pools/pool.js'
import { openPoolifierDirect, openPoolifierQueued } from './pools/poolifier.js'
import { openPostMessage } from './pools/post-message.js'
import { openTinypoolOverlapping, openTinypoolSync } from './pools/tinypool.js'
import { openWorkerpool } from './pools/workerpool.js'

export const peers = ['piscina', 'tinypool', 'workerpool', 'poolifier'] as const
export type Peer = (typeof peers)[number]

/** What bounds a pool from above: the same with bare threads. */
export const limits = ['postMessage', 'spin'] as const
export type Limit = (typeof limits)[number]

export interface Side {
  readonly name: string
  readonly of: 'ours' | Peer | Limit
  /** Null for `spin`, which is no pool: two threads that look at shared words without a pause. */
  readonly open: Open | null
}

/**
 * In the order of the rounds. `spin` and `ours` are neighbours: it says how quiet the machine was
 * then.
 */
export const sides: readonly Side[] = [
  { name: 'postMessage', of: 'postMessage', open: openPostMessage },
  { name: 'piscina, Atomics', of: 'piscina', open: openPiscinaSync },
  { name: 'piscina, 64 each', of: 'piscina', open: openPiscinaOverlapping },
  { name: 'tinypool, Atomics', of: 'tinypool', open: openTinypoolSync },
  { name: 'tinypool, 64 each', of: 'tinypool', open: openTinypoolOverlapping },
  { name: 'workerpool', of: 'workerpool', open: openWorkerpool },
  { name: 'poolifier, direct', of: 'poolifier', open: openPoolifierDirect },
  { name: 'poolifier, queued', of: 'poolifier', open: openPoolifierQueued },
  { name: 'ours', of: 'ours', open: openOurs },
  { name: 'spin', of: 'spin', open: null },
]
