/**
 * `UserWorker`: one thread that belongs to the thread that made it, with a kthread's life.
 *
 * The states live in the worker's row (`state.ts`); this side only requests, waits and settles. Who
 * settles what, whichever way the thread ends:
 *
 * | promise    | settled by                                                                    |
 * | ---------- | ----------------------------------------------------------------------------- |
 * | `create`   | the message 'created'; else the thread's 'exit'; else the deadline, the signal  |
 * | `start`    | the message 'entered'; else the thread's 'exit'                               |
 * | `join`     | the thread's 'exit' alone                                                     |
 *
 * @module
 */
import { inspect } from 'node:util'
import * as memory from '#memory'
import type { Words } from '#memory'
import { aborted, UserWorkerError } from '../errors.js'
import { after, deadline, nextTurn, type Timer } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { drain, MessageChannel, type MessagePort, type Worker } from '../os/thread.js'
import { asError, errorOf } from './error-report.js'
import { verdict, warnOfEnd, type Verdict } from './exit.js'
import { loadTimeout } from './load.js'
import { check, type CheckedOptions, type UserWorkerOptions } from './options.js'
import type { ToOwner, ToThread } from './protocol.js'
import { creationFailure, spawn } from './spawn.js'
import { Flag, hasFlag, request, stateName, type StateName } from './state.js'
import { at, claim, Field, ownRow, releaseTree, table } from './table.js'

/**
 * A thread that cannot be ended, because it stands in a system call, is reported this long after
 * its deadline.
 */
const terminateGraceMs = 500

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
  /** The name given at creation. */
  readonly name: string
  /** Its number in this process, counted from 1 and never given twice. */
  readonly id: number
  readonly #words: Words = table()
  readonly #row: number
  readonly #thread: Worker
  readonly #port: MessagePort
  readonly #created: Pending<void>
  readonly #starts = new Set<Pending<boolean>>()
  readonly #joins = new Set<Pending<number>>()
  readonly #exitListeners: ((code: number, error: Error | null) => void)[] = []
  #osThreadId: number | null = null
  #grace: Timer | null = null
  #killed = false
  /** Whether anybody was told, or can be expected to know, how it ended. */
  #asked = false
  #told: Error | null = null
  #uncaught: Error | null = null
  #left: number | null = null
  #ended: Error | null = null
  /** The last control word, and the verdict, once the thread is gone and its row another's. */
  #end: (Verdict & { readonly control: number }) | null = null

  private constructor(options: CheckedOptions) {
    const { name } = options
    this.name = name
    this.#row = claim(this.#words, ownRow())
    this.id = memory.load(this.#words, at(this.#row, Field.ID))
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    try {
      this.#thread = spawn(options, this.#row, port2)
    } catch (error) {
      port1.close()
      releaseTree(this.#words, this.#row)
      throw creationFailure(name, error)
    }
    this.#thread.unref()
    this.#thread.on('error', (error: unknown) => {
      this.#ended = asError(error)
    })
    this.#thread.once('exit', (nodeCode) => this.#exited(nodeCode))
    this.#port.on('message', (message: ToOwner) => this.#hear(message))
    this.#port.unref()
    this.#created = new Pending(`creation of '${name}'`)
  }

  /**
   * Makes a worker: its thread is there, its module loaded, its function not called (KT-2, UW-3).
   *
   * @param module - the module whose default export is the function, as a URL or an absolute path
   * @throws TypeError EINVAL: an argument is wrong
   * @throws UserWorkerError ERR_MODULE_LOAD, ERR_MODULE_LOAD_TIMEOUT, ERR_NO_HANDLER: the module is
   * no good
   * @throws UserWorkerError ABORT_ERR: `signal` was aborted
   * @throws UserWorkerError ERR_NOT_CLONEABLE: `data` cannot be sent to a thread
   * @throws UserWorkerError EAGAIN, EMFILE, ERR_WORKER_INIT: the system refused a thread (UW-7)
   * @throws UserWorkerError ERR_WORKER_EXITED, ERR_WORKER_DIED, ERR_WORKER_OUT_OF_MEMORY: it ended
   * while it loaded. After any error nothing of the worker is left (INV-UW-5).
   */
  static async create<Data = unknown>(
    module: URL | string,
    options: UserWorkerOptions<Data> = {},
  ): Promise<UserWorker> {
    const checked = check(module, options)
    const { signal } = checked
    if (signal?.aborted === true) throw aborted(signal.reason)
    const worker = new UserWorker(checked)
    const giveUp = (): void => worker.#giveUp(aborted(signal?.reason))
    signal?.addEventListener('abort', giveUp, { once: true })
    const limit = worker.#endAfter(checked)
    try {
      await worker.#created.promise
    } finally {
      limit.cancel()
      worker.#grace?.cancel()
      signal?.removeEventListener('abort', giveUp)
    }
    return worker
  }

  /** Where it is in its life. */
  get state(): StateName {
    return this.#end === null ? stateName(this.#control()) : 'exited'
  }

  /**
   * Whether the function was ever called. A function may itself return -4; this tells the two
   * apart.
   */
  get entered(): boolean {
    return hasFlag(this.#control(), Flag.ENTERED)
  }

  /** The exit code once the thread is gone, else null. */
  get exitCode(): number | null {
    return this.#end?.code ?? null
  }

  /** Why it ended, where that was an error: what the function threw, say; else null. */
  get error(): Error | null {
    this.#asked ||= this.#end !== null
    return this.#end?.error ?? null
  }

  /**
   * The thread's id in the operating system, as `ps -T` shows it; null where the system has none to
   * show.
   */
  get osThreadId(): number | null {
    return this.#osThreadId
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
  start(): Promise<boolean> {
    if (this.entered) return Promise.resolve(true)
    const started = new Pending<boolean>(`start of '${this.name}'`)
    if (this.#end !== null) settleStart(started, this.#end)
    else {
      this.#starts.add(started)
      this.#request(Flag.START)
    }
    return started.promise
  }

  /**
   * Asks the worker to stop and returns at once (KT-15). Idempotent; no effect on one that has
   * exited (KT-16).
   */
  requestStop(): void {
    this.#request(Flag.STOP)
  }

  /**
   * Waits until the thread is gone (its 'exit' event, not merely the function's end). Never
   * rejects. Any number of callers, at any time, get the same answer (KT-12, KT-17).
   *
   * @returns the exit code: what the function returned (0 for nothing), 1 after an error, the
   * argument of `process.exit`, -4 (EINTR) when the function was never called, -9 when it was
   * killed
   */
  join(): Promise<number> {
    this.#asked = true
    const joined = new Pending<number>(`join of '${this.name}'`)
    if (this.#end === null) this.#joins.add(joined)
    else joined.resolve(this.#end.code)
    return joined.promise
  }

  /**
   * {@link requestStop} and {@link join} (KT-9, KT-16). It asks and waits, and never forces
   * (KT-19).
   */
  stop(): Promise<number> {
    this.requestStop()
    return this.join()
  }

  /**
   * Calls `listener` once when the thread is gone, or at once if it is already. Unlike {@link
   * join}, this keeps no process alive.
   */
  onExit(listener: (code: number, error: Error | null) => void): this {
    this.#asked = true
    if (this.#end === null) this.#exitListeners.push(listener)
    else listener(this.#end.code, this.#end.error)
    return this
  }

  /**
   * Terminates the thread, the last resort: whatever its code was doing is cut off between two
   * instructions. A worker that had finished by then keeps its own exit code; otherwise it is -9,
   * or -4 if the function was never called. A thread inside a system call ends when the call does.
   */
  kill(): void {
    if (this.#end !== null) return
    this.#killed = true
    void this.#thread.terminate()
  }

  /** While the thread lives it keeps the process alive. By default only pending promises do. */
  ref(): this {
    this.#thread.ref()
    return this
  }

  /** Takes {@link ref} back. */
  unref(): this {
    this.#thread.unref()
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

  #control(): number {
    return this.#end?.control ?? memory.load(this.#words, at(this.#row, Field.CONTROL))
  }

  /**
   * Sets the flag first, then moves the sequence and rings: pairs with `gate`, `sleep` and
   * `sleepSync`.
   */
  #request(flag: typeof Flag.START | typeof Flag.STOP): void {
    if (this.#end !== null) return
    request(this.#words, at(this.#row, Field.CONTROL), flag)
    const sequence = at(this.#row, Field.SEQUENCE)
    memory.add(this.#words, sequence, 1)
    memory.notify(this.#words, sequence)
    const look: ToThread = { type: 'look' }
    this.#port.postMessage(look)
  }

  #hear(message: ToOwner): void {
    switch (message.type) {
      case 'created':
        this.#osThreadId = memory.load(this.#words, at(this.#row, Field.OS_THREAD)) || null
        this.#created.resolve()
        break
      case 'entered':
        for (const start of this.#starts) start.resolve(true)
        this.#starts.clear()
        break
      case 'failed':
      case 'threw':
        this.#told = errorOf(message.error)
        break
      case 'uncaught':
        this.#uncaught = errorOf(message.error)
        break
      case 'left':
        this.#left = message.exitCode
        break
    }
  }

  /**
   * Node's 'exit' event: the thread is gone. Everything that still waits for it is settled here.
   */
  #exited(nodeCode: number): void {
    drain(this.#port, (message) => this.#hear(message as ToOwner))
    this.#port.close()
    const control = memory.load(this.#words, at(this.#row, Field.CONTROL))
    const exitCode = memory.load(this.#words, at(this.#row, Field.EXIT_CODE))
    releaseTree(this.#words, this.#row)
    const end = {
      control,
      ...verdict({
        name: this.name,
        control,
        exitCode,
        nodeCode,
        killed: this.#killed,
        told: this.#told,
        uncaught: this.#uncaught,
        left: this.#left,
        ended: this.#ended,
      }),
    }
    this.#end = end
    const failedToLoad = this.#created.reject(
      end.error ??
        new UserWorkerError('ERR_WORKER_DIED', `Worker '${this.name}' ended while it loaded`),
    )
    this.#asked ||= failedToLoad || this.#killed || this.#starts.size > 0
    if (end.error !== null && !this.#asked) void this.#warnUnlessAsked(end.error)
    for (const start of this.#starts) settleStart(start, end)
    for (const join of this.#joins) join.resolve(end.code)
    this.#starts.clear()
    this.#joins.clear()
    for (const listener of this.#exitListeners) tellApart(() => listener(end.code, end.error))
  }

  /**
   * A worker that dies while nobody waits for it must not die silently. Whoever asks in the same
   * turn is told anyway.
   */
  async #warnUnlessAsked(error: Error): Promise<void> {
    await nextTurn()
    if (this.#asked) return
    warnOfEnd(this.name, error)
  }

  /** Gives the creation up when the module has not loaded by its deadline. */
  #endAfter({ module, loadDeadlineMs }: CheckedOptions): Timer {
    return deadline(loadDeadlineMs, () => {
      const stuck = '; its thread stands in a system call and cannot be ended before that returns'
      this.#giveUp(loadTimeout(module, loadDeadlineMs), loadTimeout(module, loadDeadlineMs, stuck))
    })
  }

  /**
   * Ends the thread and rejects `create`, with `ifStuck` when the thread cannot be ended in time.
   */
  #giveUp(error: UserWorkerError, ifStuck: UserWorkerError = error): void {
    this.#told = error
    this.kill()
    this.#grace = after(terminateGraceMs, () => this.#created.reject(ifStuck))
  }
}

function settleStart(start: Pending<boolean>, end: Verdict & { readonly control: number }): void {
  const { control, error } = end
  // The word is the authority: the message that says "entered" may have been lost with the thread.
  if (hasFlag(control, Flag.ENTERED)) start.resolve(true)
  else if (error === null || isKill(error)) start.resolve(false)
  else start.reject(error)
}

const isKill = (error: Error): boolean =>
  error instanceof UserWorkerError && error.code === 'ERR_WORKER_KILLED'

/**
 * Calls a listener so that an error of its own is an uncaught one, and not the next listener's
 * loss.
 */
function tellApart(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
