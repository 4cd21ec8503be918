/**
 * The systems that are simulated.
 *
 * @module
 */
import { disk } from './disk/index.js'
import { queue } from './queue/index.js'
import type { World } from './world.js'

export const worlds: readonly World[] = [queue, disk]
