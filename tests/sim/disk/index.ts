/**
 * The backend of vhost-user with its disk, under faults of the frontend, the guest, and of its own threads.
 *
 * @module
 */
import type { Change } from '../mutant.js'
import type { Outcome, World } from '../world.js'
import { Course } from './course.js'
import { edges } from './edges.js'
import { packed, type Instantiate } from './library.js'
import { Simulation } from './simulation.js'

const faults = [
  'late kick',
  'doubled kick',
  'bad request',
  'bad chain',
  'memory change',
  'vring restart',
  'dirty log',
  'resize',
  'message at the wrong time',
  'malformed message',
  'second frontend',
  'connection cut',
  'reboot',
  'reset of the owner',
  'thread not made',
  'thread death',
  'process death',
  'loss of power',
] as const

const leastOperations = 200

/** The disk's world. @param change - what is broken in the library */
export function worldOf(change?: Change): World {
  let instantiate: Promise<Instantiate> | null = null
  return {
    name: 'disk',
    faults,
    edges,
    rare: [],
    async run(seed, tell): Promise<Outcome> {
      instantiate ??= packed(change)
      const simulation = new Simulation(seed, await instantiate, tell ?? null)
      const course = new Course(simulation)
      try {
        await course.run(leastOperations)
      } catch (error) {
        simulation.diverge(`an error: ${String((error as Error).stack)}`)
      }
      simulation.close()
      const { faults: happened, edges: taken, divergences, system } = simulation
      return {
        operations: course.operations,
        faults: happened,
        edges: taken,
        divergences,
        digest: system.digest.toString(16),
      }
    },
  }
}

export const disk: World = worldOf()
