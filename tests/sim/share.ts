/**
 * A thread that runs its share of the seeds.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { World } from './world.js'
import { worlds } from './worlds.js'

/** Every so many seeds of a world, from the first one on. */
export interface Share {
  readonly world: string
  readonly first: number
  readonly step: number
  readonly end: number
}

async function run(world: World, { first, step, end }: Share): Promise<void> {
  for (let seed = first; seed < end; seed += step) {
    parentPort?.postMessage([seed, await world.run(seed)])
  }
}

const share = workerData as Share
for (const world of worlds) if (world.name === share.world) await run(world, share)
