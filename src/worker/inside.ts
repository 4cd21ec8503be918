/**
 * The light door for a worker's own module, `userworker/self`: what a function that runs in a worker
 * needs. The main door would load the whole library into the thread, which takes 15 to 25 ms; most of
 * what is behind this one is there already.
 *
 * @module
 */
export { carry, type AsyncStore, type Carrier, type StoreOptions } from '../carry/index.js'
export { EINTR } from './control.js'
export { loop, type Batch, type Loop, type LoopOptions } from './loop.js'
export { WorkerReference } from './reference.js'
export type { Self } from './self.js'
