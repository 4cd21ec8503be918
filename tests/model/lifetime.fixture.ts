/**
 * A program that creates, starts and stops a worker, and prints what its own thread did in shared memory
 * in each phase, as JSON.
 *
 * @module
 */
import { steps, type Step } from './trace.js'

/** What the program prints. */
export interface Lifetime {
  readonly create: Step[]
  readonly start: Step[]
  readonly stop: Step[]
  readonly code: number
}

// The single files: the packed ones that a user gets have the real memory inside.
const single = new URL('../../../dist/index.js', import.meta.url)
const { UserWorker } = (await import(single.href)) as typeof import('userworker')

const sleeper = new URL('./sleeper.fixture.js', import.meta.url)
const worker = await UserWorker.create(sleeper, { name: 'sleeper' })
const create = steps.splice(0)
await worker.start()
const start = steps.splice(0)
const code = await worker.stop()
const stop = steps.splice(0)
const lifetime: Lifetime = { create, start, stop, code }
console.log(JSON.stringify(lifetime))
