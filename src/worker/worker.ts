/**
 * `UserWorker`: one thread that belongs to the thread that made it, with a kthread's life.
 *
 * This file is what users see; `life.ts` does it.
 *
 * @module
 */
import type { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { aborted, invalid } from '../errors.js'
import type { MessagePort } from '../os/thread.js'
import { bindError, bindThread, checkBindable } from './cpus.js'
import { describeWorker, stuckError, type WorkerDescription } from './describe.js'
import { Life, type ExitListener } from './life.js'
import {
  check,
  checkCpus,
  checkSpares,
  checkStop,
  type SpareOptions,
  type StopOptions,
  type UserWorkerOptions,
} from './options.js'
import { checkFreeze, type FreezeOptions, type FreezeReport } from './freeze.js'
import { offerReference } from './reference.js'
import { keepSpares } from './spares.js'
import { Flag, hasFlag, stateName, type StateName } from './state.js'
import { trace, type Traced } from './trace.js'

/** What the listeners of the channels `userworker:…` get (KT-27). */
export type TraceMessage = Traced<UserWorker>

/**
 * One thread that belongs to the thread that made it.
 *
 * @example
 * ```ts
 * const worker = await UserWorker.create(new URL('./poller.js', import.meta.url), { name: 'poller'
 * })
 * await worker.start()
 * const code = await worker.stop()
 * ```
 */
export class UserWorker {
  readonly #life: Life

  private constructor(life: Life) {
    if (!(life instanceof Life)) {
      throw invalid('A worker is not made by `new`: use await UserWorker.create(module, options)')
    }
    this.#life = life
  }

  /** The name given at creation. */
  get name(): string {
    return this.#life.name
  }

  /** Its number in this process, counted from 1 and never given twice. */
  get id(): number {
    return this.#life.id
  }

  /**
   * Makes a worker: its thread is there, its module loaded, its function not called (KT-2, UW-3).
   *
   * @param module - the module whose default export is the function, as a URL or an absolute path
   * @throws TypeError EINVAL: an argument is wrong (UW-20)
   * @throws UserWorkerError ERR_MODULE_LOAD, ERR_MODULE_LOAD_TIMEOUT, ERR_NO_HANDLER: the module, or
   * `entry`, is no good
   * @throws UserWorkerError ABORT_ERR: `signal` was aborted
   * @throws UserWorkerError ERR_NOT_CLONEABLE: `data` cannot be sent to a thread
   * @throws UserWorkerError ENOTSUP: `cpus` was given, and nothing here can set them
   * @throws UserWorkerError EAGAIN, EMFILE, ERR_WORKER_INIT: the system refused a thread (UW-7); EAGAIN
   * with `owner`: the limit of an owner is reached (UW-8)
   * @throws UserWorkerError ENOSYS, ERR_OWNER_KILLED: its owner has ended
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY: it ended
   * while it loaded. After any error nothing of the worker is left (INV-UW-5).
   */
  static async create<Data = unknown>(
    module: URL | string,
    options: UserWorkerOptions<Data> = {},
  ): Promise<UserWorker> {
    const checked = check(module, options)
    const { signal, cpus, mustBind } = checked
    if (signal?.aborted === true) throw aborted(signal.reason)
    if (mustBind) checkBindable()
    const life = new Life(checked)
    await life.created(checked)
    const bound = cpus === null ? 'set' : bindThread(life.osThreadId, cpus)
    if (cpus !== null && mustBind && bound !== 'set') {
      life.kill()
      await life.waitForEnd()
      throw bindError(bound, cpus)
    }
    const worker = new UserWorker(life)
    life.onEntered = () => trace('start', { worker })
    trace('create', { worker })
    // It may have ended between its message and this: then it is told of at once.
    life.watch((code, error) => trace('exit', { worker, code, error }))
    return worker
  }

  /**
   * Keeps `count` booted threads ready, so that workers with the same `execArgv`, `resourceLimits`,
   * `clean` and kind of `env` are made in about a millisecond instead of thirty; in `env`, what Node
   * reads while a thread boots must be the same too: NODE_OPTIONS, NODE_PATH and NODE_DEBUG. A
   * thread takes some 8 MB. What the owner gave to `setEnvironmentData` after a spare was booted
   * does not reach it.
   *
   * @param count - from 0 (the default before the first call) to 1,024
   * @returns how many were kept before, once `count` are ready
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_MODULE_LOAD: `entry` is no good
   * @throws UserWorkerError EAGAIN, EMFILE, ERR_WORKER_INIT: the system refused a thread; EAGAIN with
   * `owner`: the limit of an owner is reached
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY,
   * ERR_MODULE_LOAD_TIMEOUT: one ended while it booted, or did not boot within 30 seconds, by what
   * `execArgv` loads into it
   */
  static async spares(count: number, options: SpareOptions = {}): Promise<number> {
    return keepSpares(count, checkSpares(count, options))
  }

  /** Where it is in its life. */
  get state(): StateName {
    return this.#life.end === null ? stateName(this.#life.control) : 'exited'
  }

  /**
   * Whether the function was ever called. A function may itself return -4; this tells the two
   * apart.
   */
  get entered(): boolean {
    return hasFlag(this.#life.control, Flag.ENTERED)
  }

  /** The exit code once the thread is gone, else null. */
  get exitCode(): number | null {
    return this.#life.end?.code ?? null
  }

  /** Why it ended, where that was an error: what the function threw, say; else null. */
  get error(): Error | null {
    return this.#life.error
  }

  /**
   * The thread's id in the operating system, as `ps -T` shows it; null where the system has none to
   * show.
   */
  get osThreadId(): number | null {
    return this.#life.osThreadId
  }

  /** What the thread writes to its standard output, where the option `stdout` is set; else null. */
  get stdout(): Readable | null {
    return this.#life.outputs.stdout
  }

  /** What the thread writes to its standard error output, where `stderr` is set; else null. */
  get stderr(): Readable | null {
    return this.#life.outputs.stderr
  }

  /**
   * Opens the gate: the function is called (KT-3). Any number of calls, at any time; the function
   * is called once.
   *
   * @returns true once the function was entered; false when the worker ended before that, because a
   * stop or a kill came first (KT-11)
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY: it ended
   * by itself before that
   */
  async start(): Promise<boolean> {
    return await this.#life.start()
  }

  /**
   * Ends the worker's current sleep (`self.sleep`, `self.sleepSync`, or that of a {@link loop}), or
   * the next one if it is awake: no wake is lost. Harmless at any time, also after the exit
   * (VH-21).
   */
  wake(): void {
    if (this.#life.end === null) this.#life.link.wake()
  }

  /**
   * Halts the thread at its next signal point: `self.checkpoint()`, a sleep of `self`, between two
   * batches of a `loop`, or the next turn of its event loop. From then on until {@link unpark} or a
   * stop none of its code runs (INV-KT-7). A worker whose function was not called yet is halted
   * before that, and un-parking it calls the function (KT-23).
   *
   * @returns a promise that resolves when it stands still
   * @throws UserWorkerError EBUSY: it is told to park already (KT-20)
   * @throws UserWorkerError ENOSYS: it has exited, or was told to stop, before or meanwhile
   * @throws UserWorkerError ECANCELED: `unpark` was called before it stood still
   */
  async park(): Promise<void> {
    await this.#life.park()
    trace('park', { worker: this })
  }

  /** Lets a parked worker go on. No effect on one that was not told to park (KT-22). */
  unpark(): void {
    if (this.#life.unpark()) trace('unpark', { worker: this })
  }

  /**
   * Makes the worker, and the workers below it, stand still until {@link thaw}. A freeze is beside a
   * park: each must be taken back for it to go on. A stop or a kill gets through (KT-25).
   *
   * @returns once all stand; by `deadlineMs` at the latest, and then it names those that do not
   * @throws TypeError EINVAL: an option is wrong
   * @throws UserWorkerError ENOSYS: it has exited, or was told to stop, or an owner above was killed
   */
  async freeze(options: FreezeOptions = {}): Promise<FreezeReport> {
    const report = await this.#life.freeze(checkFreeze(options))
    trace('freeze', { worker: this })
    return report
  }

  /** Lets a frozen worker go on. No effect on one that was not frozen itself. */
  thaw(): void {
    if (this.#life.thaw()) trace('thaw', { worker: this })
  }

  /**
   * Allows the thread to run on these CPUs only. Legal between creation and start (KT-6).
   *
   * @param cpus - numbers of CPUs, at least one; `'all'` for every CPU of the system that the
   * process may use
   * @throws TypeError EINVAL: the worker was started, or the CPUs are none the process may use
   * @throws UserWorkerError ENOTSUP: nothing here can set them: that takes Linux and the package
   * `koffi`
   * @throws UserWorkerError ENOSYS: the worker has exited
   */
  bind(cpus: readonly number[] | 'all'): void {
    checkCpus('bind: cpus', cpus)
    if (hasFlag(this.#life.control, Flag.START) || this.#life.end !== null) {
      throw invalid(
        `bind: worker '${this.name}' was started: its CPUs are chosen between creation and start`,
      )
    }
    const bound = bindThread(this.osThreadId, cpus)
    if (bound !== 'set') throw bindError(bound, cpus)
  }

  /**
   * Asks the worker to stop and returns at once (KT-15). Idempotent; no effect on one that has
   * exited (KT-16). A parked worker is let go, and must look for itself (KT-24).
   */
  requestStop(): void {
    this.#life.requestStop()
  }

  /**
   * Waits until the thread is gone (its 'exit' event, not merely the function's end). Any number of
   * callers, at any time, get the same answer (KT-12, KT-17).
   *
   * @returns the exit code: what the function returned (0 for nothing), 1 after an error, the
   * argument of `process.exit`, -4 (EINTR) when the function was never called, -9 when it was
   * killed
   * @throws UserWorkerError EDEADLK: called in a worker whose own end this one waits for (KT-18)
   */
  async join(): Promise<number> {
    return await this.#life.waitForEnd()
  }

  /**
   * {@link requestStop} and {@link join} (KT-9, KT-16). It asks and waits, and never forces
   * (KT-19).
   *
   * @param options - `deadlineMs`: how long to wait, in milliseconds; without it, for ever
   * @returns the exit code, as {@link join}
   * @throws UserWorkerError ETIME: it has not ended by `deadlineMs`. `stuck` tells which worker, it
   * or one of its own that it waits for, stands where. The request stands: `stop` can be called
   * again.
   * @throws UserWorkerError EDEADLK: called in a worker whose own end this one waits for; then the
   * stop is not even requested (KT-18)
   */
  async stop(options: StopOptions = {}): Promise<number> {
    const { deadlineMs } = checkStop(options)
    const { link, name } = this.#life
    const ended = this.#life.waitForEnd(
      deadlineMs === undefined
        ? undefined
        : { deadlineMs, late: () => stuckError(link, name, deadlineMs) },
    )
    trace('stop', { worker: this })
    this.#life.requestStop()
    const code = await ended
    trace('stop-ret', { worker: this, code })
    return code
  }

  /**
   * Calls `listener` once when the thread is gone, or at once if it is already. Unlike {@link
   * join}, this keeps no process alive.
   */
  onExit(listener: ExitListener): this {
    this.#life.onExit(listener)
    return this
  }

  /**
   * Terminates the thread, the last resort: whatever its code was doing is cut off between two
   * instructions. A worker that had finished by then keeps its own exit code; otherwise it is -9,
   * or -4 if the function was never called. A thread inside a system call ends when the call does.
   * Files that Node was just reading for the thread, such as its modules, may stay open.
   */
  kill(): void {
    trace('kill', { worker: this })
    this.#life.kill()
  }

  /** What can be known of it now, for people and for logs. Costs some 100 µs. */
  describe(): WorkerDescription {
    return describeWorker(this.#life)
  }

  /**
   * A port to be transferred to another thread, where `new WorkerReference(port)` makes it a handle
   * that can stop, wake and wait for this worker. Each port serves one thread.
   */
  reference(): MessagePort {
    return offerReference(this, this.#life)
  }

  /** While the thread lives it keeps the process alive. By default only pending promises do. */
  ref(): this {
    this.#life.link.thread.ref()
    return this
  }

  /** Takes {@link ref} back. */
  unref(): this {
    this.#life.link.thread.unref()
    return this
  }

  /** {@link stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  [inspect.custom](): string {
    const { name, id, state, osThreadId, exitCode } = this
    return `UserWorker ${inspect({ name, id, state, osThreadId, exitCode }, { breakLength: Infinity })}`
  }
}
