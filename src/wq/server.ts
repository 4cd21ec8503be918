/**
 * A server: a worker of a queue, from the queue's side. It runs one work at a time.
 *
 * | state   | holds                                        | left by                                          |
 * | ------- | -------------------------------------------- | ------------------------------------------------ |
 * | booting | the thread is made, the module loads, set-up | 'ready'; 'unfit', its exit or the deadline: gone |
 * | idle    | it has no work                               | `run`; its exit                                  |
 * | busy    | it has one work                              | the work's answer; its exit                      |
 * | gone    | the thread is gone, or about to be           | nobody                                           |
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { UserWorkerError } from '../errors.js'
import { after, deadline } from '../os/clock.js'
import { drain, MessageChannel, type MessagePort, type TransferListItem } from '../os/thread.js'
import {
  errorOf,
  loadTimeout,
  reportOf,
  thrownOf,
  UserWorker,
  type UserWorkerOptions,
} from '../worker/index.js'
import { serveModule } from './serve-module.js'
import type { ServeData, ToQueue, ToServer } from './protocol.js'
import type { QueuedWork } from './work.js'

/** What every server of a queue is made from. */
export interface ServerPlan {
  readonly module: string
  readonly data: unknown
  readonly loadDeadlineMs: number
  readonly thread: Omit<
    UserWorkerOptions,
    'name' | 'data' | 'transfer' | 'loadDeadlineMs' | 'signal'
  >
}

/** What a server tells the account it works for. */
export interface ServerEvents {
  /** The work's answer came: the server is idle again. */
  answered(server: Server, work: QueuedWork, answer: Answer): void
  /**
   * The thread of a server that had become ready is gone. `work` is what it was given and did not
   * answer, `begun` whether its handler was called. `error` is why, or null when it was told to
   * end.
   */
  gone(server: Server, work: QueuedWork | null, begun: boolean, error: Error | null): void
}

/** How a work ended: with a result, with an error, or because it was called off. */
export type Answer =
  | { readonly value: unknown }
  | { readonly error: unknown }
  | { readonly canceled: Error }

/**
 * A thread in a system call ends when that returns, if ever; its work does not wait for it longer
 * than this.
 */
export const killGraceMs = 500

export class Server {
  state: 'booting' | 'idle' | 'busy' | 'gone' = 'booting'
  work: QueuedWork | null = null
  #worker: UserWorker | null = null
  #port: MessagePort | null = null
  #ready: { resolve(): void; reject(error: Error): void } | null = null
  #unfit: Error | null = null
  #retiring = false
  readonly #creation = new AbortController()
  readonly #begun: Words = memory.allocate(1)
  readonly #plan: ServerPlan
  readonly #events: ServerEvents

  constructor(
    readonly name: string,
    plan: ServerPlan,
    events: ServerEvents,
  ) {
    this.#plan = plan
    this.#events = events
  }

  /** Whether it was ended by force. */
  get isKilled(): boolean {
    return this.#unfit !== null
  }

  /** Whether it is to end as soon as it has no work. */
  get isRetiring(): boolean {
    return this.#retiring
  }

  /** The thread's id in the operating system, once it is there. */
  get osThreadId(): number | null {
    return this.#worker?.osThreadId ?? null
  }

  /**
   * Makes the thread and waits until it can take works.
   *
   * @throws what `UserWorker.create` throws, and ERR_MODULE_LOAD and ERR_MODULE_LOAD_TIMEOUT for
   * the handlers' module
   */
  async start(): Promise<void> {
    if (this.#unfit !== null) throw this.#unfit
    const { module, data, loadDeadlineMs, thread } = this.#plan
    const { port1, port2 } = new MessageChannel()
    const late = deadline(loadDeadlineMs, () => this.kill(loadTimeout(module, loadDeadlineMs)))
    try {
      const serve: ServeData = { port: port2, module, data, begun: this.#begun }
      const { signal } = this.#creation
      const worker = await UserWorker.create<ServeData>(serveModule(thread.entry), {
        ...thread,
        name: this.name,
        data: serve,
        transfer: [port2],
        loadDeadlineMs,
        signal,
      })
      const ready = new Promise<void>((resolve, reject) => {
        this.#ready = { resolve, reject }
      })
      this.#worker = worker
      this.#port = port1
      port1.on('message', (message: ToQueue) => this.#hear(message))
      port1.on('messageerror', (cause: unknown) => this.#unreadable('result', cause))
      port1.unref()
      worker.onExit((_code, error) => this.#exited(error))
      // It was ended by force while it was made.
      if (this.#unfit !== null) worker.kill()
      if (this.state === 'gone') throw this.#unfit ?? this.ended()
      // Settled by 'ready', or by the thread's exit, which the deadline brings about.
      void worker.start().catch(() => {})
      await ready
    } catch (error) {
      port1.close()
      throw this.#unfit ?? error
    } finally {
      late.cancel()
    }
  }

  /**
   * Hands over a work.
   *
   * @returns null, or what made it impossible: something that was to be moved is no longer there.
   * Then the server stays idle.
   */
  run(work: QueuedWork): { readonly cause: unknown } | null {
    const { args, transfer } = work.payload ?? { args: [], transfer: [] }
    const { id, name } = work
    try {
      this.#post({ type: 'run', id, name, args, key: sendableKey(work.key) }, transfer)
    } catch (cause) {
      return { cause }
    }
    this.work = work
    this.state = 'busy'
    // What was moved cannot be given to another thread if this one ends before it begins the work.
    if (transfer.length > 0) work.payload = null
    return null
  }

  /** Tells the work it runs that nobody wants it any more. */
  abort(reason: unknown): void {
    if (this.work !== null)
      this.#post({ type: 'abort', id: this.work.id, reason: reportOf(reason) })
  }

  /** Lets it finish its work, if it has one, tear down and end; it must not be given another. */
  retire(): void {
    this.#retiring = true
    if (this.state === 'idle') this.#worker?.requestStop()
  }

  /**
   * Ends the thread now. What it was running settles with `reason`, at the latest after {@link
   * killGraceMs}.
   */
  kill(reason: Error): void {
    this.#unfit ??= reason
    this.#creation.abort(reason)
    this.#worker?.kill()
    after(killGraceMs, () => this.#exited(null))
  }

  #hear(message: ToQueue): void {
    switch (message.type) {
      case 'ready':
        if (this.state !== 'booting') break
        this.#becomeIdle()
        this.#ready?.resolve()
        break
      case 'unfit':
        this.#unfit ??= errorOf(message.error)
        break
      case 'unreadable':
        this.#unreadable('argument', null)
        break
      case 'done':
        this.#answered(message.id, { value: message.value })
        break
      case 'failed':
        this.#answered(message.id, { error: thrownOf(message.error) })
        break
    }
  }

  #answered(id: number, answer: Answer): void {
    const { work } = this
    if (work === null || work.id !== id) return
    this.work = null
    if (this.state !== 'gone') this.#becomeIdle()
    this.#events.answered(this, work, answer)
  }

  /**
   * A message was lost between the threads. There is one work at a time, so it is known whose it
   * was.
   */
  #unreadable(what: 'argument' | 'result', cause: unknown): void {
    if (this.work === null) return
    const { id, name } = this.work
    const text = `The ${what} of '${name}' cannot be read by the other thread: it is nested too deep for its stack`
    this.#answered(id, { error: new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause }) })
  }

  #becomeIdle(): void {
    this.state = 'idle'
    if (this.#retiring) this.#worker?.requestStop()
  }

  #exited(error: Error | null): void {
    if (this.state === 'gone') return
    const wasReady = this.state !== 'booting'
    // Gone first: what the thread posted before it ended still counts, but makes nothing idle.
    this.state = 'gone'
    if (this.#port !== null) {
      drain(
        this.#port,
        (message) => this.#hear(message as ToQueue),
        (cause) => this.#unreadable('result', cause),
      )
      this.#port.close()
    }
    const { work } = this
    this.work = null
    const why = this.#unfit ?? error
    // Pairs with the store before a handler is called (`entry.ts`).
    const begun = work !== null && memory.load(this.#begun, 0) === work.id
    if (wasReady) this.#events.gone(this, work, begun, why)
    else this.#ready?.reject(why ?? this.ended())
  }

  /** The error for a thread that ended without one. */
  ended(): UserWorkerError {
    return new UserWorkerError('ERR_WORKER_DIED', `Worker '${this.name}' has ended`)
  }

  #post(message: ToServer, transfer: readonly TransferListItem[] = []): void {
    this.#port?.postMessage(message, transfer)
  }
}

/** Keys are compared on this side only; over there they are for show. */
function sendableKey(key: unknown): unknown {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof key) ? key : undefined
}
