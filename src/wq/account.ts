/**
 * One class of works, bounded or unbounded: its rings, its servers, and what the servers tell. The two
 * classes share nothing, so neither can starve the other (INV-IOWQ-16).
 *
 * When servers are made, and when they leave, is decided in `growth.ts`.
 *
 * @module
 */
import type { Words } from '#memory'
import { runTime } from '../os/clock.js'
import {
  Entry,
  isTaken,
  Kind,
  kindOf,
  mayHave,
  levels,
  seatOf,
  setComing,
  stateOf,
  takeSleeper,
} from '../ring/index.js'
import { warnOfEnd, type Scope } from '../worker/index.js'
import { Attempts } from './attempts.js'
import { censusOf, type Census } from './census.js'
import { Ends, type EndEvents } from './ends.js'
import { Growth, type Growing, type Limits } from './growth.js'
import { Lane } from './lane.js'
import type { Definition, ToServer } from './protocol.js'
import { Server, type Reason } from './server.js'
import type { ServerPlan } from './server-plan.js'
import type { SharedBuffers } from './numbered-buffers.js'
import type { CancelOutcome, QueuedWork } from './work.js'

/** What an account tells its queue. */
export interface AccountEvents extends EndEvents {
  /** The work is in the rings now, and had to wait for room. */
  entered(work: QueuedWork): void
  /** Something that a handler has told of its work. */
  told(id: number, kind: 'progress' | 'item', value: unknown): void
  /** It has told something that cannot be read. */
  unreadable(work: QueuedWork, kind: 'progress' | 'item', cause: unknown): void
  /** A work is shown to the workers. */
  published(): void
  /** There may be something to read. */
  look(): void
  /** A work or a server less: it may have been the last. */
  changed(): void
}

/** What both accounts of a queue share. */
export interface Common {
  readonly plan: ServerPlan
  readonly owner: Words
  readonly shared: SharedBuffers
  nameOf(handler: number): string
  cancel(work: QueuedWork): CancelOutcome
  nextName(): string
  /** Whose the workers are. */
  readonly scope: Scope
  /** A worker is about to be made. */
  populated(): void
  /** Everything both classes' workers must know. */
  definitions(): Iterable<Definition>
}

export class Account implements Growing {
  readonly kind: 'bounded' | 'unbounded'
  readonly concurrency: number
  readonly growth: Growth
  /** Why no server is made any more, once that is so. */
  endReason: Error | null = null
  /** Works that wait for a running worker rather than be given a new one (WQ-15). */
  patient = 0
  /** What comes of works. */
  readonly ends: Ends
  readonly #servers = new Set<Server>()
  readonly #seats: (Server | null)[] = []
  readonly #common: Common
  readonly #events: AccountEvents
  #lane: Lane | null = null
  #failing = false
  #isWaking = false
  readonly #attempts = new Attempts()
  /** Who waits for so many servers, or for the error that there are none. */
  #awaiting: { readonly count: number; readonly hear: (error: Error | null) => void }[] = []

  constructor(
    kind: 'bounded' | 'unbounded',
    limits: Limits,
    common: Common,
    events: AccountEvents,
  ) {
    this.kind = kind
    this.concurrency = common.plan.concurrency[kind]
    this.#common = common
    this.#events = events
    this.growth = new Growth(this, limits)
    this.ends = new Ends(common.shared, events)
  }

  get servers(): ReadonlySet<Server> {
    return this.#servers
  }

  /** The rings. Made when a work needs them. */
  get lane(): Lane {
    this.#lane ??= new Lane(
      (number, buffer) => this.tellAll({ type: 'chunk', number, buffer }),
      this.#common.shared,
      {
        unbounded: this.kind === 'unbounded',
        nameOf: (handler) => this.#common.nameOf(handler),
        cancel: (work) => this.#common.cancel(work),
        published: () => this.#published(),
        entered: (work) => this.#events.entered(work),
      },
    )
    return this.#lane
  }

  /** Works that run, are ready, or wait for room; not those behind a key. */
  get runnable(): number {
    return this.#lane === null ? 0 : this.#lane.runnable
  }

  census(): Census {
    return censusOf(this.lane)
  }

  /** Works that are held behind a key. */
  get held(): number {
    return this.#lane?.held ?? 0
  }

  /** Whether a work of this class, of this queue. */
  owns(work: QueuedWork): boolean {
    return work.lane === this.#lane
  }

  /** Whether a worker has, or could take, a work. */
  get isOut(): boolean {
    return this.runnable > 0
  }

  get isFrozen(): boolean {
    return this.#common.scope.isFrozen
  }

  /** How many more workers the owners' limits allow. */
  get room(): number {
    return this.#common.scope.room
  }

  askForRoom(hasNone: boolean): void {
    this.#common.scope.full.yieldWorker(hasNone)
  }

  /** Whether works are being failed right now: none of them is a reason to grow. */
  get isFailing(): boolean {
    return this.#failing
  }

  /** Whether no work of this class waits for a worker. */
  get isDrained(): boolean {
    const lane = this.#lane
    if (lane === null) return true
    if (lane.waiting > 0) return false
    for (const work of lane.inSlots()) {
      const kind = lane.kindOf(work)
      if (kind === Kind.READY || kind === Kind.LINKED) return false
    }
    return true
  }

  /** The works in the rings and on their way there. */
  *works(): Iterable<QueuedWork> {
    if (this.#lane === null) return
    yield* this.#lane.inSlots()
    yield* this.#lane.backlog()
  }

  /** The server that runs a work. */
  serverOf(work: QueuedWork): Server | null {
    if (work.slot < 0 || this.#lane === null) return null
    const state = stateOf(this.#lane.memory.words, work.slot)
    return isTaken(state) ? (this.#seats[seatOf(state)] ?? null) : null
  }

  /** The works that a server has claimed and not ended; none for a server of the other class. */
  worksOf(server: Server): QueuedWork[] {
    if (this.#lane === null || this.#seats[server.seat] !== server) return []
    const { words } = this.#lane.memory
    return [...this.#lane.inSlots()].filter((work) => {
      const state = stateOf(words, work.slot)
      return kindOf(state) === Kind.CLAIMED && seatOf(state) === server.seat
    })
  }

  /** Reads what the servers have completed. Whether there was anything. */
  reap(): boolean {
    let found = false
    for (const server of this.#servers) {
      // One that was not heard to be ready may have completed works: nobody would look for them later.
      if (server.state === 'gone' || !server.reap()) continue
      server.lastEndMs = runTime()
      found = true
    }
    if (found) {
      this.#lane?.refill()
      this.#events.changed()
    }
    return found
  }

  /** Wakes a server if one sleeps while a work is ready: one that was woken may have had no place. */
  wakeForReady(): void {
    const words = this.#lane?.memory.words
    if (words !== undefined && levels.some((_, level) => mayHave(words, level))) this.#wakeOne()
  }

  tellAll(message: ToServer): void {
    for (const server of this.#servers) server.tell(message)
  }

  /** Lets every server finish the works it has, tear down and end. */
  retire(): void {
    for (const server of this.#servers) server.retire()
  }

  /**
   * From here on no server is made (WQ-50, INV-IOWQ-11). Works that no server is left for fail with
   * `reason`.
   */
  endGrowth(reason: Error): void {
    this.endReason = reason
    this.growth.end()
    this.failWithoutServers()
  }

  failWithoutServers(): void {
    if (this.endReason !== null && this.#servers.size === 0) this.failPending(this.endReason, true)
  }

  /** Makes so many servers if they are not there, and tells when they are, or why not. */
  whenReady(count: number, hear: (error: Error | null) => void): void {
    this.#awaiting.push({ count, hear })
    this.growth.ensure(count)
    this.#tellAwaiting(this.endReason)
  }

  #tellAwaiting(error: Error | null): void {
    const serving = [...this.#servers].filter(({ state }) => state === 'serving').length
    const told = this.#awaiting.filter(({ count }) => error !== null || serving >= count)
    this.#awaiting = this.#awaiting.filter((each) => !told.includes(each))
    for (const { count, hear } of told) hear(serving >= count ? null : error)
  }

  /** Makes a server. */
  add(reason: Reason): void {
    this.#common.populated()
    const seat = this.#freeSeat()
    const server = new Server(this.#common.nextName(), seat, reason, this.lane, this.#common.plan, {
      heard: (from, what, slot) => this.#heard(from, what, slot),
      look: () => this.#events.look(),
      blocked: () => this.growth.consider(),
      leaving: (due) => this.growth.leaving(due),
      told: (id, kind, value) => this.#events.told(id, kind, value),
      unreadable: (id, kind, cause) => {
        const work = [...this.lane.inSlots()].find((each) => each.id === id)
        if (work !== undefined) this.#events.unreadable(work, kind, cause)
      },
      gone: (dead, error) => this.#gone(dead, error),
    })
    this.#seats[seat] = server
    this.#servers.add(server)
    this.#countComing()
    void this.#boot(server)
  }

  async #boot(server: Server): Promise<void> {
    const error = await this.#attempts.make(() =>
      server.start(this.#common.owner, this.concurrency, () => this.#definitions()),
    )
    if (error !== null) this.#remove(server)
    this.#countComing()
    if (error === null) this.growth.made(server)
    else this.growth.failed(error)
    this.#tellAwaiting(error)
    // Whoever left works to the one that was coming looks again.
    for (const other of this.#servers) if (other.state === 'serving') other.wake()
    this.#events.changed()
  }

  *#definitions(): Iterable<Definition> {
    yield* this.#common.definitions()
    for (const { number, bytes } of this.lane.chunks) {
      yield { type: 'chunk', number, buffer: bytes.buffer as unknown as SharedArrayBuffer }
    }
  }

  /** Fails every work that no worker has claimed, and those that become runnable by that. */
  failPending(error: Error, asCanceled: boolean): void {
    if (this.#failing || this.#lane === null) return
    this.#failing = true
    for (let found = true; found;) {
      found = false
      for (const work of this.works()) {
        if (work.settled || !this.#lane.withdraw(work)) continue
        found = true
        if (asCanceled ? work.cancelWith(error) : work.reject(error)) this.#events.settled(work)
        this.#events.left(work)
      }
    }
    this.#failing = false
    this.#events.changed()
  }

  #published(): void {
    if (this.#common.plan.spins) this.#wakeOne()
    else this.#wakeSoon()
    this.growth.submitted()
    this.#events.published()
  }

  /**
   * On one CPU whoever is woken takes it at once: so the works that this turn submits are shown first,
   * all of them.
   */
  #wakeSoon(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    queueMicrotask(() => {
      this.#isWaking = false
      this.wakeForReady()
    })
  }

  #wakeOne(): void {
    const seat = takeSleeper(this.lane.memory.words, this.#seats.length)
    if (seat >= 0) this.#seats[seat]?.wake()
  }

  #freeSeat(): number {
    const free = this.#seats.indexOf(null)
    return free >= 0 ? free : this.#seats.length
  }

  #countComing(): void {
    let count = 0
    for (const server of this.#servers) if (server.state === 'booting') count++
    setComing(this.lane.memory.words, count)
  }

  #heard(server: Server, what: number, slot: number): void {
    const work = this.lane.works[slot] ?? null
    if (work === null) return
    if (what === Entry.DONE) this.ends.done(server, work)
    else if (what === Entry.TURN) this.lane.turn(work)
    else this.ends.sendArguments(server, work)
  }

  /**
   * Every work that the dead server had begun is settled, one that it had only claimed goes to another;
   * what its chains come to goes on.
   */
  #gone(server: Server, error: Error | null): void {
    const { lane } = this
    const { words } = lane.memory
    let count = 0
    for (const work of lane.inSlots()) {
      const state = stateOf(words, work.slot)
      if (seatOf(state) !== server.seat) continue
      if (kindOf(state) === Kind.DONE) this.ends.done(server, work)
      else if (kindOf(state) === Kind.CLAIMED && this.ends.died(server, work, error)) count++
    }
    for (const work of lane.inSlots()) {
      if (work.link?.turnFrom === server.seat) lane.turn(work)
    }
    // Without a work there is nobody else to tell.
    if (count === 0 && error !== null && server.killed === null) warnOfEnd(server.name, error)
    this.#remove(server)
    this.failWithoutServers()
    lane.refill()
    this.growth.gone(server)
    // It may have taken the word of the owner that waits, and not told it; or it was woken for a work.
    this.#events.look()
    this.#events.changed()
  }

  #remove(server: Server): void {
    this.#servers.delete(server)
    this.#seats[server.seat] = null
    // Whatever it said last: nobody is asleep in an empty seat.
    if (this.#lane !== null) server.vacate()
  }
}
