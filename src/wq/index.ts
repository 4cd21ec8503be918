/** The door of `wq/`: a queue of works on workers of its own. */
export type { CloseReport, StuckWorker } from './close.js'
export type { AnyModule, HandlerArgs, HandlerName, HandlerResult } from './handlers.js'
export type { MaxWorkers, WorkOptions, WorkQueueOptions } from './options.js'
export { bundledServe } from './serve-module.js'
export { WorkQueue, type CancelReport, type WorkerInfo } from './queue.js'
export type { CancelOutcome, Work, WorkState } from './work.js'
