/** The door of `worker/`: one thread that belongs to its owner. */
export { asError, errorOf, reportOf, thrownOf, type ErrorReport } from './error-report.js'
export { warnOfEnd } from './exit.js'
export { loadFailure, loadModule, loadTimeout } from './load.js'
export { checkThread, defaultLoadDeadlineMs, nameOf, type UserWorkerOptions } from './options.js'
export { EINTR, type Self } from './self.js'
export type { StateName } from './state.js'
export { UserWorker } from './worker.js'
