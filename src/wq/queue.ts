/**
 * `WorkQueue`: works submitted here run on the queue's own workers.
 *
 * | state   | holds                                                  | left by                        |
 * | ------- | ------------------------------------------------------ | ------------------------------ |
 * | open    | works are taken                                        | `close`                        |
 * | closing | works are refused; bounded ones finish (WQ-50, WQ-51)  | all quiet, or the deadline     |
 * | closed  | no worker, no work, no callback to come (INV-IOWQ-12)  | nobody                         |
 *
 * This file is what users see; `dispatch.ts` does it.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import type { Readable } from 'node:stream'
import { closeQueue, type CloseReport } from './close.js'
import type { CancelReport } from './cancel.js'
import { broadcast, makeReady, setMaxWorkers } from './crew.js'
import { Dispatch } from './dispatch.js'
import type {
  AnyModule,
  HandlerArgs,
  HandlerItem,
  HandlerName,
  HandlerResult,
  StreamName,
  Submission,
} from './handlers.js'
import { checkNewMax, type MaxWorkers } from './maxima.js'
import { mapOver, type MapOptions, type Results } from './map.js'
import {
  checkCancel,
  checkFlush,
  checkQueue,
  checkWork,
  type WorkOptions,
  type WorkQueueOptions,
} from './options.js'
import { checkFreeze, type FreezeOptions } from '../worker/index.js'
import { freezeQueue, type QueueFreezeReport } from './freeze.js'
import type { QueueStats, WorkerInfo } from './describe.js'
import { describeStats, describeWorkers } from './describe.js'
import type { Output } from './output.js'
import { Stream } from './stream.js'
import type { Work } from './work.js'

/** An inline function: its text is sent to the workers, so it sees its arguments and globals alone. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Inline = (...args: any[]) => unknown

/**
 * A queue of works, and the worker threads that run them.
 *
 * @example
 * ```ts
 * const queue = new WorkQueue<typeof import('./image.js')>(new URL('./image.js', import.meta.url))
 * const thumbnail = await queue.run('resize', [file, 200], { key: file })
 * await queue.close()
 * ```
 */
export class WorkQueue<Module = AnyModule> {
  /** The name given at creation. */
  readonly name: string
  readonly #dispatch: Dispatch
  /** What the workers write to their standard outputs, if `stdout` is set; else null. */
  readonly stdout: Readable | null
  /** What they write to their standard error outputs, if `stderr` is set; else null. */
  readonly stderr: Readable | null
  readonly #output: Output
  readonly #closeDeadlineMs: number
  readonly #readyCount: number
  #closing: Promise<CloseReport> | null = null

  /**
   * Makes a queue. Workers are made when works need them.
   *
   * @param module - the module whose exported functions are the handlers, as a URL or an absolute
   * path; null where all works are inline functions
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_NOT_CLONEABLE: `data` cannot be sent to a thread
   * @throws UserWorkerError ERR_MODULE_LOAD: `entry` is needed in a bundle, or no such file
   * @throws UserWorkerError ENOSYS, ERR_OWNER_KILLED: `owner` has ended
   * @throws UserWorkerError ENOTSUP: a child process cannot have what was asked for (`isolation`)
   */
  constructor(module: URL | string | null, options: WorkQueueOptions = {}) {
    const checked = checkQueue(module, options)
    this.name = checked.name
    this.#closeDeadlineMs = checked.closeDeadlineMs
    this.#readyCount = Math.max(1, checked.minWorkers)
    this.#output = checked.plan.output
    this.stdout = this.#output.stdout
    this.stderr = this.#output.stderr
    this.#dispatch = new Dispatch(this, checked)
  }

  /**
   * Submits a work and waits for its result. Arguments are captured now: changing them later is
   * harmless.
   *
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_NOT_CLONEABLE: an argument or the result cannot be cloned
   * @throws UserWorkerError ABORT_ERR: its signal was aborted
   * @throws UserWorkerError ECANCELED: it was cancelled, or the queue is closed (WQ-12)
   * @throws UserWorkerError ERR_OWNER_KILLED: an owner of the queue was killed
   * @throws UserWorkerError ETIME: it ran longer than its `timeoutMs`
   * @throws UserWorkerError EAGAIN: `queueLimit` is reached; or no thread could be made (WQ-16)
   * @throws UserWorkerError ERR_NO_HANDLER, ERR_MODULE_LOAD, ERR_MODULE_LOAD_TIMEOUT: the module is
   * no good
   * @throws UserWorkerError ENOTSUP: `isolation: 'process'` cannot carry an argument or the result
   * @throws UserWorkerError ERR_FREE_NAME: an inline function refers to its surroundings
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY: its
   * thread ended
   * @throws UserWorkerError EMFILE, ERR_WORKER_INIT: no thread could be made
   * @throws whatever the handler threw
   */
  run<Name extends HandlerName<Module>>(
    name: Name,
    ...submission: Submission<HandlerArgs<Module, Name>, WorkOptions>
  ): Promise<HandlerResult<Module, Name>>
  run<Fn extends Inline>(
    fn: Fn,
    ...submission: Submission<Parameters<Fn>, WorkOptions>
  ): Promise<Awaited<ReturnType<Fn>>>
  run(
    handler: string | Inline,
    args: readonly unknown[] = [],
    options?: WorkOptions,
  ): Promise<unknown> {
    try {
      checkWork(handler, args, options)
      return this.#dispatch.submit(handler, args, options).result
    } catch (error) {
      // What is thrown here is an error.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      return Promise.reject(error)
    }
  }

  /**
   * Submits a work and returns its handle at once (INV-IOWQ-18).
   *
   * @throws TypeError EINVAL: an argument is wrong. Everything else rejects the handle's `result`,
   * as {@link run} says
   */
  enqueue<Name extends HandlerName<Module>>(
    name: Name,
    ...submission: Submission<HandlerArgs<Module, Name>, WorkOptions>
  ): Work<HandlerResult<Module, Name>>
  enqueue<Fn extends Inline>(
    fn: Fn,
    ...submission: Submission<Parameters<Fn>, WorkOptions>
  ): Work<Awaited<ReturnType<Fn>>>
  enqueue(handler: string | Inline, args: readonly unknown[] = [], options?: WorkOptions): Work {
    checkWork(handler, args, options)
    return this.#dispatch.submit(handler, args, options)
  }

  /**
   * Runs a handler that returns an iterable or async iterable (a generator, say), and gives its items
   * one by one as they come. The handler is at most 16 items ahead of who takes them. Leaving the
   * loop cancels the work.
   *
   * @throws TypeError EINVAL: an argument is wrong. The iteration throws what {@link run} rejects
   * with
   */
  stream<Name extends StreamName<Module>>(
    name: Name,
    ...submission: Submission<HandlerArgs<Module, Name>, WorkOptions>
  ): AsyncIterableIterator<HandlerItem<Module, Name>>
  stream(
    handler: string,
    args: readonly unknown[] = [],
    options?: WorkOptions,
  ): AsyncIterableIterator<unknown> {
    checkWork(handler, args, options)
    // Of who calls this, not of who takes the first item.
    const found = this.#dispatch.look()
    const submit = AsyncResource.bind((onItem: (value: unknown) => void) =>
      this.#dispatch.submit(handler, args, options, found, onItem),
    )
    return new Stream(this.#dispatch, submit)
  }

  /**
   * Runs a handler for each input, and gives the results as they come, in the order of the inputs
   * unless told otherwise. Inputs are taken only when there is a place for their work, so that a slow
   * consumer slows them down.
   *
   * @param inputs - for each work its arguments, as {@link run} takes them
   * @throws TypeError EINVAL: an argument is wrong
   */
  map<Name extends HandlerName<Module>>(
    name: Name,
    inputs: Iterable<HandlerArgs<Module, Name>> | AsyncIterable<HandlerArgs<Module, Name>>,
    { concurrency = 16, ...options }: Partial<MapOptions> = {},
  ): Results<HandlerResult<Module, Name>> {
    const found = this.#dispatch.look()
    const run = (args: readonly unknown[], signal: AbortSignal): Promise<unknown> => {
      checkWork(name, args, undefined)
      return this.#dispatch.submit(name, args, { signal }, found).result
    }
    return mapOver(run, inputs as Iterable<readonly unknown[]>, {
      concurrency,
      ...options,
    }) as Results<HandlerResult<Module, Name>>
  }

  /**
   * Calls a handler once in each worker there is, beside its works: to empty a cache, say.
   *
   * @returns what each of them resolved to
   * @throws the first of their errors; ERR_NOT_CLONEABLE for an argument or a result; ERR_WORKER_DIED
   * where a thread ended before it answered
   */
  async broadcast<Name extends HandlerName<Module>>(
    name: Name,
    ...[args]: Submission<HandlerArgs<Module, Name>, never>
  ): Promise<HandlerResult<Module, Name>[]> {
    const list: readonly unknown[] = args ?? []
    checkWork(name, list, undefined)
    return (await broadcast(this.#dispatch.accounts, name, list)) as HandlerResult<Module, Name>[]
  }

  /**
   * Cancels works: pending ones will not run and reject with ECANCELED (WQ-41); running ones have
   * their signal aborted and end as they will (WQ-42).
   *
   * @param match - a handle, or a test that sees each unsettled work: pending ones first, then
   * running ones, each in order of submission
   * @param options - `all`: go on after the first hit (WQ-40). Default false
   */
  cancel(match: Work | ((work: Work) => boolean), options: { all?: boolean } = {}): CancelReport {
    checkCancel(match, options)
    return this.#dispatch.cancelMatching(match, options.all === true)
  }

  /**
   * Resolves when every work that is unsettled now is settled, however it ends; later ones are not
   * waited for.
   *
   * @param options - `key`: only the works with this key
   */
  async flush(options: { key?: unknown } = {}): Promise<void> {
    checkFlush(options)
    await this.#dispatch.flush('key' in options ? { key: options.key } : null)
  }

  /**
   * Resolves when there is room for a work: fewer than `queueLimit` are unsettled. At once without
   * a limit.
   */
  drain(): Promise<void> {
    const { admission, unsettled } = this.#dispatch
    return admission.room.drain(unsettled)
  }

  /**
   * Changes the greatest numbers of workers, from now on: works that wait get more, and workers above
   * the maximum leave when they were idle for `idleTimeoutMs` (WQ-3, WQ-6).
   *
   * @param max - what is left out stays as it is
   * @returns the numbers before
   * @throws TypeError EINVAL: a number is wrong
   */
  setMaxWorkers(max: MaxWorkers): Required<MaxWorkers> {
    checkNewMax(max)
    return setMaxWorkers(this.#dispatch.accounts, max)
  }

  /**
   * Makes the workers of `minWorkers`, at least one, so that the first work does not wait for its
   * thread.
   *
   * @throws what {@link run} rejects with when a worker cannot be made
   */
  ready(): Promise<void> {
    const { accounts, admission } = this.#dispatch
    return makeReady(accounts, this.name, this.#readyCount, admission.hasEnded)
  }

  /**
   * Makes the queue's workers stand still until {@link thaw}, those too that are made later. Works may
   * be submitted, and wait; nothing is lost, and no `timeoutMs` runs on (SG-10). A child process
   * (`isolation`) goes on with what it runs.
   *
   * @returns once all stand; by `deadlineMs` at the latest, and then it names those that do not, with
   * what they run: they will as soon as they can
   * @throws TypeError EINVAL: an option is wrong
   * @throws UserWorkerError ENOSYS: the queue is closed, or its owner has ended
   * @throws UserWorkerError ERR_OWNER_KILLED: its owner was killed
   */
  async freeze(options: FreezeOptions = {}): Promise<QueueFreezeReport> {
    return await freezeQueue(this.#dispatch, this.name, checkFreeze(options))
  }

  /** Lets frozen workers go on. No effect where the queue itself is not frozen, or is closed. */
  thaw(): void {
    if (!this.#dispatch.scope.hasEnded) this.#dispatch.scope.thaw()
  }

  /** The queue's workers, as they are now. */
  workers(): WorkerInfo[] {
    return describeWorkers(this.#dispatch.accounts)
  }

  /** How many works came and how they ended, and how long they waited and ran. */
  stats(): QueueStats {
    return describeStats(this.#dispatch)
  }

  /**
   * Closes the queue: new works are refused, bounded ones finish, unbounded ones are cancelled,
   * workers tear down and end (WQ-50, WQ-51). Bounded by `closeDeadlineMs`: then threads are ended
   * by force and their works reject with ECANCELED. Any number of calls; all get the same report.
   *
   * @returns who had to be ended by force
   */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<CloseReport> {
    const report = await closeQueue(this.#dispatch.closable(this.name, this.#closeDeadlineMs))
    this.#dispatch.closed()
    this.#output.end()
    return report
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
