/**
 * The world of `WorkQueue`.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { Change } from '../mutant.js'
import type { Outcome, World } from '../world.js'
import { packSides, type Sides } from './bundle.js'
import { belated, reachable, seldom } from './edges.js'
import { isStray, Simulation } from './simulation.js'

const faults: readonly string[] = [
  'a handler crashes',
  'a handler leaves',
  'a module does not load',
  'a queue is frozen',
  'a queue with works is closed',
  'a running work is told',
  'a signal is aborted',
  'a thread dies at a step',
  'a thread is refused',
  'a thread stands',
  'a waiting work is cancelled',
  'an owner is frozen',
  'an owner is killed',
  "an owner's limit is changed",
  'the clock jumps',
  'the program stands',
]

/** The queue's world. @param change - what is broken in the library */
export function worldOf(change?: Change): World {
  let sides: Promise<Sides> | null = null
  return {
    name: 'queue',
    faults,
    edges: reachable,
    rare: [...belated, ...seldom],
    run: async (seed, tell) => {
      sides ??= packSides(change)
      return await runOne(seed, await sides, tell)
    },
  }
}

async function runOne(seed: number, sides: Sides, tell?: (line: string) => void): Promise<Outcome> {
  const strays: string[] = []
  const hear = (error: unknown): void => {
    if (isStray(error)) strays.push(`nobody heard of an error: ${String(error)}`)
  }
  process.on('unhandledRejection', hear)
  try {
    const outcome = new Simulation(seed, sides, tell).run()
    // What nobody heard is known once the stack is empty.
    await setImmediate()
    return { ...outcome, divergences: [...outcome.divergences, ...strays] }
  } finally {
    process.off('unhandledRejection', hear)
  }
}

export const queue: World = worldOf()
