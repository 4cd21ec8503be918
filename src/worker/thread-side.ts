/**
 * The other door of `worker/`: for what runs in the threads of workers. Behind it is nothing that makes
 * workers, so that a thread does not load what only owners need.
 */
export { asError, errorOf, reportOf, thrownOf, type ErrorReport } from './error-report.js'
export { bundleModule, loadFailure, loadModule, loadTimeout } from './load.js'
export { loop, type Batch, type Loop, type LoopOptions } from './loop.js'
export type { Companion, OwnSelf, Self } from './self.js'
