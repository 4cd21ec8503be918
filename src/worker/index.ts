/** The door of `worker/`: one thread that belongs to its owner. */
export * from './thread-side.js'
export { warnOfEnd } from './exit.js'
export { isWhole } from './beginning.js'
export { EINTR } from './control.js'
export type { WorkerDescription } from './describe.js'
export { tellApart } from './life.js'
export {
  checkCpus,
  checkPreload,
  checkThread,
  defaultLoadDeadlineMs,
  nameOf,
  type SpareOptions,
  type StopOptions,
  type UserWorkerOptions,
} from './options.js'
export { thawedDeadline } from './thawed-deadline.js'
export { WorkerReference } from './reference.js'
export type { FreezeOptions, FreezeReport, Laggard } from './freeze.js'
export { checkFreeze } from './freeze.js'
export type { OwnerLimits } from './limits.js'
export { Owner, ownerOf, scopeOf, type OwnerOptions } from './owner.js'
export { Scope, type Member } from './scope.js'
export type { OwnedWorker } from './seen.js'
export type { StateName } from './state.js'
export { UserWorker, type TraceMessage } from './worker.js'
