/**
 * A thread that runs its share of the seeds.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { worlds } from './worlds.js'

/** Every so many seeds of a world, from the first one on. */
export interface Share {
  readonly world: string
  readonly first: number
  readonly step: number
  readonly end: number
}

const { world: name, first, step, end } = workerData as Share
const world = worlds.find((each) => each.name === name)
for (let seed = first; world !== undefined && seed < end; seed += step) {
  parentPort?.postMessage([seed, await world.run(seed)])
}
