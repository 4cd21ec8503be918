/**
 * How a served device is to be made, and the workers that it begins with.
 *
 * @module
 */
import { VhostWorker, type VhostWorkerOptions } from './worker/index.js'

/** How a device and its workers are to be made. */
export interface DevicePlan {
  readonly module: string
  readonly data: unknown
  readonly name: string
  /** Its workers: so many of its own, or these, which stay the caller's. */
  readonly workers: number | readonly VhostWorker[]
  readonly workerOptions: VhostWorkerOptions
}

/**
 * The workers of a device that is taken.
 *
 * @param own - gets those that are made for it, also when another cannot be made
 * @throws what `VhostWorker.create` throws
 */
export async function workersOf(
  { workers, workerOptions, name }: DevicePlan,
  own: Set<VhostWorker>,
): Promise<readonly VhostWorker[]> {
  if (typeof workers !== 'number') return workers
  const made = await Promise.allSettled(
    Array.from({ length: workers }, async (_, index) => {
      const worker = await VhostWorker.create({ name: `${name}-${index}`, ...workerOptions })
      own.add(worker)
      return worker
    }),
  )
  return made.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}
