/**
 * The benches by name: what `npm run bench -- <name>` measures.
 *
 * @module
 */
import type { Measure } from './measure.js'
import { adoption, create } from './worker/create.js'
import { parkAsleep, parkBusy } from './worker/park.js'
import { stopIdle, stopMany } from './worker/stop.js'
import { wakeLate, wakeSoon } from './worker/wake.js'

export const benches: Readonly<Record<string, readonly Measure[]>> = {
  worker: [create, adoption, stopIdle, stopMany, parkAsleep, parkBusy, wakeSoon, wakeLate],
}
