/** The door of `wq/`: a queue of works on workers of its own. */
export type { QueueFreezeReport, QueueLaggard } from './freeze.js'
export type { CloseReport, StuckWorker } from './close.js'
export type { QueueStats, WorkerInfo } from './describe.js'
export type { CancelReport } from './cancel.js'
export {
  drainOnSignal,
  type DrainOptions,
  type DrainSignal,
  type TakeBack,
} from './drain-on-signal.js'
export type {
  AnyModule,
  HandlerArgs,
  HandlerItem,
  HandlerName,
  HandlerResult,
  StreamName,
} from './handlers.js'
export type { HistogramSnapshot } from './histogram.js'
export type { MapOptions, Results } from './map.js'
export type { Concurrency, MaxWorkers } from './maxima.js'
export type { WorkOptions, WorkQueueOptions } from './options.js'
export { KeySpace } from './keys.js'
export { WorkQueue } from './queue.js'
export { bundledServe } from './serve-module.js'
export type { CancelOutcome, Work, WorkState } from './work.js'
