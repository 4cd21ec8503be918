/**
 * `userworker`: worker threads that belong to the thread they work for.
 *
 * @module
 */
export { carry, type AsyncStore, type Carrier, type StoreOptions } from './carry/index.js'
export { errorCodes, UserWorkerError, type ErrorCode, type Stuck } from './errors.js'
export {
  EINTR,
  loop,
  UserWorker,
  WorkerReference,
  type Batch,
  type Loop,
  type Self,
  type SpareOptions,
  type StateName,
  type StopOptions,
  type TraceMessage,
  type UserWorkerOptions,
  type WorkerDescription,
} from './worker/index.js'
export {
  KeySpace,
  WorkQueue,
  type AnyModule,
  type CancelOutcome,
  type CancelReport,
  type CloseReport,
  type Concurrency,
  type HandlerArgs,
  type HandlerItem,
  type HandlerName,
  type HandlerResult,
  type HistogramSnapshot,
  type MapOptions,
  type MaxWorkers,
  type QueueStats,
  type Results,
  type StreamName,
  type StuckWorker,
  type Work,
  type WorkerInfo,
  type WorkOptions,
  type WorkQueueOptions,
  type WorkState,
} from './wq/index.js'
