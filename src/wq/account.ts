/**
 * One class of works, bounded or unbounded: its runnable works, its servers, and when to make
 * another. The two classes share nothing, so neither can starve the other (INV-IOWQ-16).
 *
 * A server is made when more works are runnable than servers are idle or on their way, up to the
 * maximum (INV-IOWQ-3). Works behind a busy key are not runnable (WQ-24).
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { after } from '../os/clock.js'
import { warnOfEnd } from '../worker/index.js'
import { Server, type Answer, type ServerPlan } from './server.js'
import { WorkList, type QueuedWork } from './work.js'

/** What an account tells its queue. */
export interface AccountEvents {
  /** The work has left its server, or will never reach one. */
  ended(work: QueuedWork, answer: Answer): void
  /** A work or a server less: it may have been the last. */
  changed(): void
}

/** Waits between attempts to make a thread that the system refused, in milliseconds (WQ-61). */
const retryAfterMs = [5, 10, 15]

/**
 * After an attempt that failed for good, while other servers are there, the next one waits this
 * long.
 */
const growthPauseMs = 1000

/** The part of a worker's name that `ps` shows: 15 bytes less `uw:`. */
const visibleBytes = 12

export class Account {
  readonly #runnable = new WorkList()
  readonly #servers = new Set<Server>()
  /** Last in, first out: the rest of the servers can stay asleep (WQ-14). */
  readonly #idle: Server[] = []
  readonly #plan: ServerPlan
  readonly #events: AccountEvents
  readonly #nextName: () => string
  #isPaused = false
  /** Why no server is made any more, once that is so. */
  #endReason: Error | null = null
  #failing = false
  #isPumping = false

  constructor(
    readonly max: number,
    plan: ServerPlan,
    nextName: () => string,
    events: AccountEvents,
  ) {
    this.#plan = plan
    this.#nextName = nextName
    this.#events = events
  }

  /** Whether no work waits for a server. */
  get isDrained(): boolean {
    return this.#runnable.size === 0
  }

  get servers(): ReadonlySet<Server> {
    return this.#servers
  }

  /** The works that could run now, in order. */
  get runnable(): Iterable<QueuedWork> {
    return this.#runnable
  }

  push(work: QueuedWork): void {
    this.#runnable.push(work)
    this.#pump()
    this.#failWithoutServers()
  }

  /** Takes a runnable work out again. */
  withdraw(work: QueuedWork): void {
    this.#runnable.remove(work)
  }

  /**
   * From here on no server is made (WQ-50, INV-IOWQ-11). Works that no server is left for fail with
   * `reason`.
   */
  endGrowth(reason: Error): void {
    this.#endReason = reason
    this.#failWithoutServers()
  }

  /** Lets every server finish the work it has, tear down and end. None gets another. */
  retire(): void {
    this.#idle.length = 0
    for (const server of this.#servers) server.retire()
  }

  #failWithoutServers(): void {
    if (this.#endReason !== null && this.#servers.size === 0) {
      this.#failAll({ canceled: this.#endReason })
    }
  }

  /** Also called while it runs: what comes in meanwhile is taken by the same loop. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#runnable.size > 0) {
      const server = this.#idle.pop()
      if (server === undefined) break
      this.#dispatch(server)
    }
    this.#isPumping = false
    this.#grow()
  }

  #dispatch(server: Server): void {
    const work = this.#runnable.shift()
    if (work === null) return
    const failure = server.run(work)
    if (failure === null) {
      work.state = 'running'
      return
    }
    this.#idle.push(server)
    this.#events.ended(work, { error: notCloneable(work, failure.cause) })
  }

  #takeBack(server: Server): void {
    if (server.state === 'idle' && !server.isRetiring) this.#idle.push(server)
  }

  #grow(): void {
    let coming = [...this.#servers].filter((server) => server.state === 'booting').length
    while (
      this.#endReason === null &&
      !this.#isPaused &&
      !this.#failing &&
      this.#runnable.size > coming &&
      this.#servers.size < this.max
    ) {
      const server = new Server(this.#nextName(), this.#plan, {
        answered: (answering, work, answer) => this.#answered(answering, work, answer),
        gone: (dead, work, begun, error) => this.#gone(dead, work, begun, error),
      })
      this.#servers.add(server)
      coming++
      void this.#boot(server)
    }
  }

  async #boot(server: Server): Promise<void> {
    const error = await this.#started(server)
    if (error === null) {
      // It may have ended between its message and this turn.
      this.#takeBack(server)
      this.#pump()
    } else {
      this.#servers.delete(server)
      this.#failed(error)
    }
    this.#events.changed()
  }

  /** @returns null, or why it could not be made, after as many attempts as that deserves */
  async #started(server: Server): Promise<Error | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        await server.start()
        return null
      } catch (error) {
        const delay = isTransient(error) ? retryAfterMs[attempt] : undefined
        if (delay === undefined) return error as Error
        await new Promise<void>((resolve) => {
          after(delay, resolve)
        })
      }
    }
  }

  /**
   * A server could not be made: the works wait for another one; if there is none, they fail
   * (WQ-63).
   */
  #failed(error: Error): void {
    if (this.#servers.size === 0) {
      this.#isPaused = false
      this.#failAll(this.#endReason === null ? { error } : { canceled: this.#endReason })
    } else if (!this.#isPaused) {
      this.#isPaused = true
      after(growthPauseMs, () => {
        if (!this.#isPaused) return
        this.#isPaused = false
        this.#pump()
      })
    }
  }

  /** Also those that become runnable meanwhile, because a work before them has failed. */
  #failAll(answer: Answer): void {
    if (this.#failing) return
    this.#failing = true
    for (let work = this.#runnable.shift(); work !== null; work = this.#runnable.shift()) {
      this.#events.ended(work, answer)
    }
    this.#failing = false
  }

  #answered(server: Server, work: QueuedWork, answer: Answer): void {
    this.#takeBack(server)
    this.#events.ended(work, answer)
    this.#pump()
    this.#events.changed()
  }

  #gone(server: Server, work: QueuedWork | null, begun: boolean, error: Error | null): void {
    this.#servers.delete(server)
    const at = this.#idle.indexOf(server)
    if (at >= 0) this.#idle.splice(at, 1)
    if (work !== null) this.#leftBehind(server, work, begun, error)
    // Without a work there is nobody else to tell.
    else if (error !== null && !server.isKilled) warnOfEnd(server.name, error)
    this.#failWithoutServers()
    this.#pump()
    this.#events.changed()
  }

  /** A thread ended with a work: that goes to another one if it was not begun, else it ends too. */
  #leftBehind(server: Server, work: QueuedWork, begun: boolean, error: Error | null): void {
    const cause = error ?? server.ended()
    if (server.isKilled) this.#events.ended(work, { canceled: cause })
    else if (begun || !mayComeBack(work)) this.#events.ended(work, { error: cause })
    else if (work.told !== null) this.#events.ended(work, { canceled: work.told })
    else if (server.isRetiring) this.#events.ended(work, { canceled: this.#endReason ?? cause })
    else {
      work.state = 'pending'
      work.cameBack = true
      this.#runnable.putBack(work)
    }
  }
}

/**
 * Whether a work that its thread never began may go to another: once, and if nothing of it was
 * moved.
 */
function mayComeBack(work: QueuedWork): boolean {
  return !work.cameBack && !work.settled && work.payload !== null
}

/** The error for a value that cannot be cloned. */
export function notCloneable(work: { readonly name: string }, cause: unknown): UserWorkerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const text = `An argument of '${work.name}' cannot be sent to a worker: ${why}`
  return new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
}

function isTransient(error: unknown): boolean {
  return error instanceof UserWorkerError && error.code === 'EAGAIN'
}

/** Cuts a queue's name so that the number behind it stays visible. */
export function serverName(queue: string, number: number): string {
  const suffix = `-${number}`
  const characters = Array.from(queue)
  while (characters.length > 1 && Buffer.byteLength(characters.join('') + suffix) > visibleBytes) {
    characters.pop()
  }
  return characters.join('') + suffix
}
