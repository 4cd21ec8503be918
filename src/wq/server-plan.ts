/**
 * What every server of a queue is made from.
 *
 * @module
 */
import type { UserWorkerOptions } from '../worker/index.js'
import type { Output } from './output.js'
import type { ServeData } from './protocol.js'

/** What every server of a queue is made from. */
export interface ServerPlan {
  readonly module: string
  readonly data: unknown
  readonly loadDeadlineMs: number
  readonly concurrency: { readonly bounded: number; readonly unbounded: number }
  readonly recycle: ServeData['recycle']
  readonly child: ServeData['child']
  /** Whether there is more than one CPU. */
  readonly spins: boolean
  /** Takes what the threads write. */
  readonly output: Output
  readonly thread: Omit<
    UserWorkerOptions,
    'name' | 'data' | 'transfer' | 'loadDeadlineMs' | 'signal'
  >
}
