/**
 * A server: a worker of a queue, from the queue's side.
 *
 * | state   | holds                                        | left by                                          |
 * | ------- | -------------------------------------------- | ------------------------------------------------ |
 * | booting | the thread is made, the module loads, set-up | 'ready'; 'unfit', its exit or the deadline: gone |
 * | serving | it takes works out of the rings              | its exit                                         |
 * | gone    | the thread is gone, or about to be           | nobody                                           |
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import type { Words } from '#memory'
import { warnOfCarrier } from '../carry/index.js'
import { deadline, runTime } from '../os/clock.js'
import {
  drain,
  MessageChannel,
  receiveNext,
  type MessagePort,
  type TransferListItem,
} from '../os/thread.js'
import { allocateCompletions, Chunks, getUp, isAsleep, isBlocked, Reaper } from '../ring/index.js'
import { errorOf, loadTimeout, reportOf, scopeOf } from '../worker/index.js'
import { thawedDeadline, thrownOf, UserWorker } from '../worker/index.js'
import { Announced, notReadable, postAnnounced } from './announced.js'
import { BroadcastCalls, type Result } from './answers.js'
import type { Lane } from './lane.js'
import { limitChild } from './process/index.js'
import type { Definition, ServeData, ToQueue, ToServer } from './protocol.js'
import { serveModule } from './serve-module.js'
import type { ServerPlan } from './server-plan.js'
import type { QueuedWork } from './work.js'

/** Why a worker was made. */
export type Reason = 'first' | 'backlog' | 'blocked' | 'minimum'

/** What a server tells the account it works for. */
export interface ServerEvents {
  /** A completion was read: what, and of which slot. */
  heard(server: Server, what: number, slot: number): void
  /** There may be something to read. */
  look(): void
  /** One of its works has entered a call that blocks. */
  blocked(): void
  /** It takes no more works. */
  leaving(server: Server): void
  /** The thread has told something of a work that runs. */
  told(id: number, kind: 'progress' | 'item', value: unknown): void
  /** It has told something that cannot be read. */
  unreadable(id: number, kind: 'progress' | 'item', cause: unknown): void
  /**
   * The thread of a server that had become ready is gone. `error` is why, or null when it was told
   * to end.
   */
  gone(server: Server, error: Error | null): void
}

/**
 * A thread in a system call ends when that returns, if ever; its works do not wait for it longer
 * than this.
 */
export const killGraceMs = 500

export class Server {
  state: 'booting' | 'serving' | 'gone' = 'booting'
  /** Whether it takes no more works. */
  isLeaving = false
  /** The work because of which it was ended by force, if it was one of them. */
  culprit: QueuedWork | null = null
  /** When it was last seen to have ended a work, in this thread's time of running. */
  lastEndMs = runTime()
  /** When it became ready, in this thread's time of running. */
  readyMs = runTime()
  readonly #bornMs = runTime()
  #worker: UserWorker | null = null
  #port: MessagePort | null = null
  #ready: { resolve(): void; reject(error: Error): void } | null = null
  #unfit: Error | null = null
  #retiring = false
  readonly #creation = new AbortController()
  readonly #completions: Words = allocateCompletions()
  readonly #reaper: Reaper
  readonly #results: Result[] = []
  readonly #calls = new BroadcastCalls()
  readonly #announced = new Announced()
  /** The worker's blocks with results. */
  readonly chunks = new Chunks()

  constructor(
    readonly name: string,
    readonly seat: number,
    readonly reason: Reason,
    readonly lane: Lane,
    private readonly plan: ServerPlan,
    private readonly events: ServerEvents,
  ) {
    this.#reaper = new Reaper(
      this.#completions,
      (slot) => lane.submission.generation(slot),
      (what, slot) => events.heard(this, what, slot),
    )
  }

  /** Why it was ended by force, if it was. */
  get killed(): Error | null {
    return this.#unfit
  }

  /** Whether it is to end as soon as it has no work. */
  get isRetiring(): boolean {
    return this.#retiring
  }

  get isAsleep(): boolean {
    return isAsleep(this.lane.memory.words, this.seat)
  }

  /** Whether it is inside a call that blocks (WQ-20). */
  get isBlocked(): boolean {
    return isBlocked(this.#completions)
  }

  /** How long its birth took, in milliseconds. */
  get birthMs(): number {
    return this.readyMs - this.#bornMs
  }

  /** The child process that runs its handlers, where one does. */
  processId: number | null = null

  /** Whether it stands still, frozen. */
  get isStanding(): boolean {
    return this.#worker?.state === 'frozen'
  }

  get osThreadId(): number | null {
    return this.#worker?.osThreadId ?? null
  }

  /**
   * Makes the thread and waits until it takes works.
   *
   * @param known - everything it must know before its first work
   * @throws what `UserWorker.create` throws, and ERR_MODULE_LOAD and ERR_MODULE_LOAD_TIMEOUT for
   * the handlers' module
   */
  async start(owner: Words, concurrency: number, known: () => Iterable<Definition>): Promise<void> {
    if (this.#unfit !== null) throw this.#unfit
    const { module, data, loadDeadlineMs, thread, recycle, child } = this.plan
    const { port1, port2 } = new MessageChannel()
    const scope = scopeOf('owner', thread.owner)
    const giveUp = (): void => this.kill(loadTimeout(module, loadDeadlineMs))
    const late = thawedDeadline(loadDeadlineMs, () => scope.isFrozen, giveUp)
    try {
      const serve: ServeData = {
        port: port2,
        module,
        data,
        words: this.lane.memory.words,
        completions: this.#completions,
        owner,
        seat: this.seat,
        spins: this.plan.spins,
        concurrency,
        recycle,
        child: child === null ? null : limitChild(child, scope.heapMb),
      }
      const { signal } = this.#creation
      // From here on it is told of what is new, and the port keeps it for the thread.
      this.#port = port1
      for (const definition of known()) this.tell(definition)
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
      // Its thread may have ended before anybody waits for it.
      ready.catch(() => {})
      this.#worker = worker
      port1.on('message', (message: ToQueue) => this.#hear(message))
      port1.on('messageerror', (cause: unknown) => this.#unreadable(cause))
      port1.unref()
      this.plan.output.add(worker)
      worker.onExit((_code, error) => this.#exited(error))
      // It was ended by force while it was made.
      if (this.#unfit !== null) worker.kill()
      if (this.state === 'gone') throw this.#unfit ?? this.ended()
      // Settled by 'ready', or by the thread's exit, which the deadline brings about.
      void worker.start().catch(() => {})
      await ready
    } catch (error) {
      port1.close()
      this.#port = null
      throw this.#unfit ?? error
    } finally {
      late.cancel()
    }
  }

  /** Sends a message to the thread, also to one that is being made. */
  tell(message: ToServer, transfer: readonly TransferListItem[] = []): void {
    if (this.#port !== null) postAnnounced(this.#port, message, transfer)
  }

  /** Wakes the thread: something is ready in the rings. */
  wake(): void {
    this.#worker?.wake()
  }

  /** Reads what the thread has completed. */
  reap(): boolean {
    return this.#reaper.reap()
  }

  /** What the work that has ended next of those whose result goes by message resulted in. */
  takeResult(): Result {
    this.#receive(() => this.#results.length > 0)
    return this.#results.shift() ?? { error: this.ended() }
  }

  /** The chunk with a result; all before it are read. */
  chunkOf(number: number): Buffer {
    this.#receive(() => this.chunks.get(number) !== undefined)
    const chunk = this.chunks.get(number)
    if (chunk === undefined) throw this.ended()
    return chunk
  }

  /** Hears messages, now, until `isThere` or there is none. */
  #receive(isThere: () => boolean): void {
    while (this.#port !== null && !isThere()) {
      const next = receiveNext(this.#port)
      if (next === null) return
      if ('message' in next) this.#hear(next.message as ToQueue)
      else this.#unreadable(next.unreadable)
    }
  }

  /** Tells a work it runs that nobody wants it any more. */
  abort(work: QueuedWork, reason: unknown): void {
    this.tell({ type: 'abort', id: work.id, reason: reportOf(reason) })
    this.lane.tell(work)
  }

  /**
   * Runs something in the thread, once, beside the works.
   *
   * @throws DataCloneError for the arguments, at once
   */
  call(name: string, args: readonly unknown[], carried: readonly unknown[]): Promise<unknown> {
    const call = this.#calls.next()
    this.tell({ type: 'broadcast', call, name, args, carried })
    return this.#calls.answerTo(call)
  }

  /** Lets it finish the works it has, tear down and end. */
  retire(): void {
    if (this.#retiring) return
    this.#retiring = true
    this.isLeaving = true
    if (this.state === 'serving') this.#worker?.requestStop()
  }

  /**
   * Ends the thread now. What it was running settles with `reason`, at the latest after {@link
   * killGraceMs}; works that it ran beside `culprit` settle as innocent.
   */
  kill(reason: Error, culprit: QueuedWork | null = null): void {
    if (this.#unfit === null) this.culprit = culprit
    this.#unfit ??= reason
    this.isLeaving = true
    this.#creation.abort(reason)
    // Its thread ends when its child is gone; a thread that was terminated would leave that unburied.
    if (this.plan.child !== null) this.tell({ type: 'kill' })
    else this.#worker?.kill()
    deadline(killGraceMs, () => {
      this.#worker?.kill()
      this.abandon()
    })
  }

  /** Settles what it has now, whether its thread is gone or not. To be called after {@link kill}. */
  abandon(): void {
    this.#exited(null)
  }

  /** Nobody sits in its seat any more. */
  vacate(): void {
    getUp(this.lane.memory.words, this.seat)
  }

  /** The error for a thread that ended without one; or, with `cause`, because of another work. */
  ended(cause: Error | null = null): UserWorkerError {
    const how = cause === null ? 'has ended' : 'was ended because of another work that it ran'
    const text = `Worker '${this.name}' ${how}`
    if (cause === null) return new UserWorkerError('ERR_WORKER_DIED', text)
    return new UserWorkerError('ERR_WORKER_DIED', text, { cause, innocent: true })
  }

  /** A message came that cannot be read. */
  #unreadable(cause: unknown): void {
    const whose = this.#announced.unreadable()
    if (whose === null) this.#results.push({ unreadable: cause })
    else if ('call' in whose) {
      this.#calls.settle(whose.call, { error: notReadable('The result of a broadcast', cause) })
    } else if ('id' in whose) this.events.unreadable(whose.id, whose.type, cause)
  }

  #hear(message: ToQueue): void {
    this.#announced.heard(message)
    switch (message.type) {
      case 'ready':
        if (this.state !== 'booting') break
        this.state = 'serving'
        this.readyMs = runTime()
        if (this.#retiring) this.#worker?.requestStop()
        this.#ready?.resolve()
        break
      case 'unfit':
        this.#unfit ??= errorOf(message.error)
        break
      case 'process':
        this.processId = message.processId
        break
      case 'look':
        this.events.look()
        break
      case 'chunk':
        this.chunks.add(message.number, message.buffer)
        break
      case 'value':
        this.#results.push({ value: message.value })
        break
      case 'threw':
        this.#results.push({ error: thrownOf(message.error) })
        break
      case 'blocked':
        this.events.blocked()
        break
      case 'leaving':
        this.isLeaving = true
        this.events.leaving(this)
        break
      case 'progress':
      case 'item':
        this.events.told(message.id, message.type, message.value)
        break
      case 'broadcast-done':
        this.#calls.settle(message.call, { value: message.value })
        break
      case 'broadcast-failed':
        this.#calls.settle(message.call, { error: thrownOf(message.error) })
        break
      case 'no-carrier':
        warnOfCarrier(message.name, this.plan.module)
        break
      case 'next': // Heard above.
      case 'context':
      case 'handler':
      case 'share':
      case 'unshare':
      // These are told by the owner alone.
    }
  }

  #exited(error: Error | null): void {
    if (this.state === 'gone') return
    let wasReady = this.state === 'serving'
    // Gone first: what the thread has completed before it ended still counts.
    this.state = 'gone'
    this.isLeaving = true
    if (this.#port !== null) {
      drain(
        this.#port,
        (message) => {
          // Nobody had heard of it yet, and still it may have claimed works.
          if ((message as ToQueue).type === 'ready') wasReady = true
          this.#hear(message as ToQueue)
        },
        (cause) => this.#unreadable(cause),
      )
    }
    const why = this.#unfit ?? error
    if (wasReady) {
      this.#ready?.resolve()
      this.reap()
      this.events.gone(this, why)
    } else this.#ready?.reject(why ?? this.ended())
    this.#calls.fail(why === null || this.culprit !== null ? this.ended(why) : why)
    this.#port?.close()
    this.#port = null
  }
}
