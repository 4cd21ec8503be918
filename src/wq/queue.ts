/**
 * `WorkQueue`: works submitted here run on the queue's own workers.
 *
 * | state   | holds                                                  | left by                        |
 * | ------- | ------------------------------------------------------ | ------------------------------ |
 * | open    | works are taken                                        | `close`                        |
 * | closing | works are refused; bounded ones finish (WQ-50, WQ-51)  | all quiet, or the deadline     |
 * | closed  | no worker, no work, no callback to come (INV-IOWQ-12)  | nobody                         |
 *
 * Who settles a work: its worker's answer; else the end of its worker's thread; while pending, a
 * cancel, its signal, `close`, or the account when no worker can be made.
 *
 * @module
 */
import { aborted, UserWorkerError } from '../errors.js'
import { hold } from '../os/pending.js'
import { sampleThread } from '../os/proc.js'
import { Account, notCloneable, serverName } from './account.js'
import { closeQueue, type CloseReport } from './close.js'
import type { AnyModule, HandlerArgs, HandlerName, HandlerResult, Submission } from './handlers.js'
import { BusyKeys } from './keys.js'
import {
  checkCancel,
  checkQueue,
  checkWork,
  type CheckedQueue,
  type WorkOptions,
  type WorkQueueOptions,
} from './options.js'
import type { Answer, Server } from './server.js'
import { Signals } from './signals.js'
import { trace } from './trace.js'
import { QueuedWork, type CancelOutcome, type Payload, type Work } from './work.js'

/** A worker of a queue, as {@link WorkQueue.workers} lists it. */
export interface WorkerInfo {
  /** What `ps -T` shows behind `uw:`. */
  readonly name: string
  /**
   * The thread's id in the operating system; null before it is made, or where the system has none
   * to show.
   */
  readonly osThreadId: number | null
  readonly class: 'bounded' | 'unbounded'
  readonly state: 'booting' | 'idle' | 'busy' | 'gone'
  /** The work it runs, or null. */
  readonly work: { readonly id: number; readonly name: string; readonly key: unknown } | null
  /** The CPU time it has used, in milliseconds; null where the system does not tell. */
  readonly cpuMs: number | null
}

/** What {@link WorkQueue.cancel} did. */
export interface CancelReport {
  /**
   * `running` if any hit was running (WQ-43), else `canceled` if any was pending, else `not-found`.
   */
  readonly outcome: CancelOutcome
  /** Pending works that will not run. */
  readonly canceled: number
  /** Running works that were told. */
  readonly running: number
}

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
  readonly #options: CheckedQueue
  readonly #accounts: { readonly bounded: Account; readonly unbounded: Account }
  readonly #keys = new BusyKeys()
  readonly #signals = new Signals((works, reason) => this.#abortAll(works, reason))
  #unsettled = 0
  #release: (() => boolean) | null = null
  #lastWork = 0
  #lastServer = 0
  #closing: Promise<CloseReport> | null = null
  #onChange: (() => void) | null = null

  /**
   * Makes a queue. Workers are made when works need them.
   *
   * @param module - the module whose exported functions are the handlers, as a URL or an absolute
   * path
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_NOT_CLONEABLE: `data` cannot be sent to a thread
   * @throws UserWorkerError ERR_MODULE_LOAD: `entry` is needed in a bundle, or no such file
   */
  constructor(module: URL | string, options: WorkQueueOptions = {}) {
    this.#options = checkQueue(module, options)
    this.name = this.#options.name
    const account = (max: number): Account =>
      new Account(max, this.#options.plan, () => serverName(this.name, ++this.#lastServer), {
        ended: (work, answer) => this.#ended(work, answer),
        changed: () => this.#changed(),
      })
    const { bounded, unbounded } = this.#options.max
    this.#accounts = { bounded: account(bounded), unbounded: account(unbounded) }
  }

  /**
   * Submits a work and waits for its result. Arguments are captured now: changing them later is
   * harmless.
   *
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_NOT_CLONEABLE: an argument or the result cannot be cloned
   * @throws UserWorkerError ABORT_ERR: its signal was aborted
   * @throws UserWorkerError ECANCELED: it was cancelled, or the queue is closed (WQ-12)
   * @throws UserWorkerError ERR_NO_HANDLER, ERR_MODULE_LOAD, ERR_MODULE_LOAD_TIMEOUT: the module is
   * no good
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY: its
   * thread ended
   * @throws UserWorkerError EAGAIN, EMFILE, ERR_WORKER_INIT: no thread could be made (WQ-16)
   * @throws whatever the handler threw
   */
  run<Name extends HandlerName<Module>>(
    name: Name,
    ...submission: Submission<HandlerArgs<Module, Name>, WorkOptions>
  ): Promise<HandlerResult<Module, Name>> {
    try {
      return this.enqueue(name, ...submission).result
    } catch (error) {
      // What `enqueue` throws is an error.
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
    ...[args, options = {}]: Submission<HandlerArgs<Module, Name>, WorkOptions>
  ): Work<HandlerResult<Module, Name>> {
    const list: readonly unknown[] = args === undefined ? [] : args
    checkWork(name, list, options)
    return this.#submit(name, list, options) as Work<HandlerResult<Module, Name>>
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
    const isHit = typeof match === 'function' ? match : (work: Work): boolean => work === match
    const works = this.#unsettledWorks()
    const first = options.all === true ? undefined : works.find(isHit)
    const hits = options.all === true ? works.filter(isHit) : first === undefined ? [] : [first]
    return this.#cancelAll(hits)
  }

  /** The queue's workers, as they are now. */
  workers(): WorkerInfo[] {
    return [...this.#servers()].map(([kind, server]) => {
      const { name, osThreadId, state, work } = server
      return {
        name,
        osThreadId,
        class: kind,
        state,
        work: work && { id: work.id, name: work.name, key: work.key },
        cpuMs: osThreadId === null ? null : (sampleThread(osThreadId)?.cpuMs ?? null),
      }
    })
  }

  /**
   * Closes the queue: new works are refused, bounded ones finish, unbounded ones are cancelled,
   * workers tear down and end (WQ-50, WQ-51). Bounded by `closeDeadlineMs`: then threads are ended
   * by force and their works reject with ECANCELED. Any number of calls; all get the same report.
   *
   * @returns who had to be ended by force
   */
  close(): Promise<CloseReport> {
    this.#closing ??= closeQueue({
      name: this.name,
      deadlineMs: this.#options.closeDeadlineMs,
      servers: () => [...this.#servers()].map(([, server]) => server),
      begin: () => this.#beginClose(),
      retire: () => {
        this.#accounts.bounded.retire()
        this.#accounts.unbounded.retire()
      },
      drained: () => this.#until(() => this.#isDrained()),
      empty: () => this.#until(() => [...this.#servers()].length === 0),
      cancelPending: (reason) => this.#dropAll(this.#unsettledWorks(), () => reason),
    })
    return this.#closing
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #submit(name: string, args: readonly unknown[], options: WorkOptions): QueuedWork {
    const { key, unbounded = false, signal = null, transfer = [] } = options
    const cancel = (): CancelOutcome => this.#cancelAll([work]).outcome
    const work: QueuedWork = new QueuedWork(++this.#lastWork, name, key, unbounded, signal, cancel)
    let refusal = this.#refusal(signal)
    if (refusal === null) {
      try {
        work.payload = capture(args, transfer)
      } catch (error) {
        work.reject(notCloneable(work, error))
        return work
      }
      // Again: reading the arguments may have run code of the caller's.
      refusal = this.#refusal(signal)
    }
    if (refusal !== null) {
      work.cancelWith(refusal)
      return work
    }
    this.#unsettled++
    this.#release ??= hold(() => `${this.#unsettled} works of '${this.name}'`)
    this.#signals.watch(work)
    trace('queue', { queue: this, work })
    if (this.#keys.enter(work)) this.#accountOf(work).push(work)
    return work
  }

  /** Why no work can be taken, or null. */
  #refusal(signal: AbortSignal | null): Error | null {
    if (this.#closing !== null) {
      return new UserWorkerError('ECANCELED', `The queue '${this.name}' is closed`)
    }
    return signal?.aborted === true ? aborted(signal.reason) : null
  }

  #accountOf(work: QueuedWork): Account {
    return work.unbounded ? this.#accounts.unbounded : this.#accounts.bounded
  }

  *#servers(): Iterable<['bounded' | 'unbounded', Server]> {
    for (const server of this.#accounts.bounded.servers) yield ['bounded', server]
    for (const server of this.#accounts.unbounded.servers) yield ['unbounded', server]
  }

  /**
   * Pending works first, then running ones (WQ-41, WQ-42), each in order of submission. A snapshot:
   * what is done with them changes the lists.
   */
  #unsettledWorks(): QueuedWork[] {
    const { bounded, unbounded } = this.#accounts
    const pending = [...bounded.runnable, ...unbounded.runnable, ...this.#keys.waiting()]
    const runs = [...this.#servers()].flatMap(([, server]) => server.work ?? [])
    const inOrder = (one: QueuedWork, other: QueuedWork): number => one.id - other.id
    return [...pending.sort(inOrder), ...runs.sort(inOrder)].filter((work) => !work.settled)
  }

  #cancelAll(works: readonly QueuedWork[]): CancelReport {
    const reason = (work: QueuedWork): Error =>
      new UserWorkerError('ECANCELED', `The work '${work.name}' was cancelled`)
    const runs = works.filter((work) => work.state === 'running')
    const canceled = this.#dropAll(works, reason)
    for (const work of runs) {
      work.told ??= reason(work)
      this.#tell(work, work.told)
    }
    const running = runs.length
    const outcome = running > 0 ? 'running' : canceled > 0 ? 'canceled' : 'not-found'
    return { outcome, canceled, running }
  }

  /** A signal was aborted: its works are settled now, wherever they stand. */
  #abortAll(works: readonly QueuedWork[], cause: unknown): void {
    const runs = works.filter((work) => work.state === 'running')
    this.#dropAll(works, () => aborted(cause))
    for (const work of runs) {
      this.#settle(work, () => work.cancelWith(aborted(cause)))
      this.#tell(work, cause)
    }
  }

  #tell(work: QueuedWork, reason: unknown): void {
    for (const [, server] of this.#servers()) if (server.work === work) server.abort(reason)
  }

  /**
   * Takes the pending ones of these works out of wherever they wait, and settles them as cancelled.
   * Keys are passed on when all of them are out, so that none of them becomes runnable by another's
   * leaving.
   *
   * @returns how many
   */
  #dropAll(works: readonly QueuedWork[], reason: (work: QueuedWork) => Error): number {
    const pending = works.filter((work) => work.state === 'pending')
    const held = pending.filter((work) => !this.#keys.withdraw(work))
    for (const work of held) this.#accountOf(work).withdraw(work)
    for (const work of pending) {
      this.#settle(work, () => work.cancelWith(reason(work)))
    }
    for (const work of held) this.#passOn(work)
    return pending.length
  }

  /** A work has left its server, or could not reach one. */
  #ended(work: QueuedWork, answer: Answer): void {
    this.#settle(work, () => {
      if ('canceled' in answer) work.cancelWith(answer.canceled)
      else if ('error' in answer) work.reject(answer.error)
      else work.resolve(answer.value)
    })
    this.#passOn(work)
  }

  #settle(work: QueuedWork, how: () => void): void {
    if (work.settled) return
    how()
    work.payload = null
    this.#signals.forget(work)
    if (--this.#unsettled > 0) return
    this.#release?.()
    this.#release = null
  }

  /** Gives the work's key to the next of its key, which becomes runnable. */
  #passOn(work: QueuedWork): void {
    const next = this.#keys.leave(work)
    if (next !== null) this.#accountOf(next).push(next)
  }

  #beginClose(): void {
    const reason = new UserWorkerError('ECANCELED', `The queue '${this.name}' was closed`)
    this.#accounts.bounded.endGrowth(reason)
    this.#accounts.unbounded.endGrowth(reason)
    this.#cancelAll(this.#unsettledWorks().filter((work) => work.unbounded))
  }

  /** Whether no work waits for a server or a key. */
  #isDrained(): boolean {
    const { bounded, unbounded } = this.#accounts
    return bounded.isDrained && unbounded.isDrained && this.#keys.isDrained
  }

  /**
   * Resolves once the condition holds. Waker: `#changed`, whenever a work has ended or a server is
   * gone.
   */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => {
        if (condition()) resolve()
      }
      this.#onChange()
    })
  }

  #changed(): void {
    this.#onChange?.()
  }
}

/** A copy of the arguments as they are now. What was to be moved is moved, to here. */
function capture(args: readonly unknown[], transfer: Payload['transfer']): Payload {
  const own = { args: [...args], transfer: [...transfer] }
  if (own.transfer.length === 0 && own.args.every(isPrimitive)) return own
  return structuredClone(own, { transfer: own.transfer })
}

function isPrimitive(value: unknown): boolean {
  return value === null || !['object', 'function', 'symbol'].includes(typeof value)
}
