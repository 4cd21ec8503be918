/**
 * A program that creates, starts and stops a worker, and prints what its own thread did in shared memory
 * in each phase, as JSON.
 *
 * @module
 */
import { UserWorker } from 'userworker'
import { steps, type Step } from './trace.js'

/** What the program prints. */
export interface Lifetime {
  readonly create: Step[]
  readonly start: Step[]
  readonly stop: Step[]
  readonly code: number
}

const sleeper = new URL('./sleeper.fixture.js', import.meta.url)
const worker = await UserWorker.create(sleeper, { name: 'sleeper' })
const create = steps.splice(0)
await worker.start()
const start = steps.splice(0)
const code = await worker.stop()
const stop = steps.splice(0)
const lifetime: Lifetime = { create, start, stop, code }
console.log(JSON.stringify(lifetime))
