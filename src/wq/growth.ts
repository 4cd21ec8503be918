/**
 * When a class gets another worker, and when one leaves.
 *
 * Only runnable works count: those behind a busy key need no worker (WQ-24, BUG-IOWQ-16). While the
 * class is cold, each of them gets a worker, up to the maximum. Once workers run, another one is made
 * when no place is free and the works that wait would take longer than its birth (INV-IOWQ-3, WQ-15).
 * That is looked at a moment after a work found no place, again and again while works wait; and at
 * once when a worker enters a call that blocks (WQ-20 to WQ-23).
 *
 * A worker leaves when it was idle for long and is not the last (WQ-72, INV-IOWQ-13), or by itself,
 * when it is due (`recycle`). One that is due and whose works take long is replaced before it is gone,
 * so that others do not wait for them: for a while there may be twice as many as the maximum.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { after, deadline, runTime, type Timer } from '../os/clock.js'
import { seats } from '../ring/index.js'
import type { Census } from './census.js'
import type { Reason, Server } from './server.js'

/** How many workers there may be, and how long they stay. */
export interface Limits {
  readonly max: number
  readonly min: number
  readonly idleTimeoutMs: number
}

/** What grows: see `account.ts`. */
export interface Growing {
  readonly servers: ReadonlySet<Server>
  /** Works that run, are ready, or wait for room. */
  readonly runnable: number
  /** Works, wherever they are, that wait for a running worker rather than be given a new one. */
  readonly patient: number
  readonly concurrency: number
  readonly isFailing: boolean
  /** Whether nothing is to run now. */
  readonly isFrozen: boolean
  /** How many more workers the owners' limits allow. */
  readonly room: number
  readonly endReason: Error | null
  /** How many works have ended. */
  readonly ends: { readonly count: number }
  census(): Census
  add(reason: Reason): void
  failPending(error: Error, asCanceled: boolean): void
  failWithoutServers(): void
  /**
   * Asks whoever has the places that the owner's limit leaves to give one up.
   *
   * @param hasNone - for a class that has no worker: others who have several give one up even if busy
   */
  askForRoom(hasNone: boolean): void
}

/** Works that found no place are looked at again after so long. */
const patienceMs = 2
/**
 * A thread that runs several works beside each other has places for more only while none of them holds
 * it: where nothing has ended and nothing was taken for so long, its places are none. Above the time
 * that a busy system may leave a thread waiting.
 */
const heldMs = 100
/** What a birth takes, before one was measured. */
const usualBirthMs = 30
/**
 * After an attempt that failed for good, while other servers are there, the next one waits this
 * long.
 */
const pauseMs = 1000

/** Works that cannot have a worker because of an owner's limit or freeze are looked at again after so long. */
const starvedMs = 100

export class Growth {
  readonly #account: Growing
  #max: number
  #min: number
  readonly #idleTimeoutMs: number
  #isPaused = false
  /** When a thread was last refused for good; Infinity once one asked for later was made. */
  #refusedAt = Infinity
  #isEnded = false
  #wasFrozen = false
  #check: Timer | null = null
  #heldCheck: Timer | null = null
  #starvedCheck: Timer | null = null
  #isStarved = false
  /** Whether a worker went to somebody else, and no work has come since. */
  #gaveUp = false
  #idleCheck: Timer | null = null
  #endsAtCheck = 0
  #checkedAt = 0
  #birthMs = usualBirthMs
  /** Since when servers that are due, and not gone, have been so. */
  readonly #due = new Map<Server, number>()

  constructor(account: Growing, { max, min, idleTimeoutMs }: Limits) {
    this.#account = account
    this.#max = max
    this.#min = min
    this.#idleTimeoutMs = idleTimeoutMs
  }

  get max(): number {
    return this.#max
  }

  set max(max: number) {
    this.#max = max
    this.consider()
    this.#watchIdle()
  }

  /** A work has become ready. */
  submitted(): void {
    const { servers } = this.#account
    if (this.#isEnded && servers.size === 0) {
      // Not now: whoever let this work in is not done with it.
      queueMicrotask(() => this.#account.failWithoutServers())
      return
    }
    if (servers.size === 0) this.consider()
    else if (this.#check === null && this.#mayGrow() && this.#waiting(false) > 0) this.consider()
    if (this.#account.concurrency > 1 && this.#heldCheck === null) this.#watchHeld()
  }

  /** Makes what is needed now, and looks again later if that is not clear yet. */
  consider(): void {
    if (this.#isEnded || this.#isPaused || this.#account.isFailing) return
    const { servers, runnable } = this.#account
    if (this.#account.isFrozen) {
      // Another thread may have frozen it, and nobody here is told of that thaw.
      if (this.#mayGrow() && runnable > 0) this.#considerLater()
      return
    }
    const room = this.#room()
    if (room <= 0) {
      if (!this.#mayGrow() || this.#waiting() <= 0) return
      if (servers.size < this.#max) this.#starve()
      else this.#considerLater()
      return
    }
    if (runnable > 0) this.#gaveUp = false
    const wanted = this.#gaveUp ? 0 : this.#min - servers.size
    for (let count = 0; count < Math.min(wanted, room); count++) this.#account.add('minimum')
    const serving = [...servers].filter(({ state }) => state === 'serving')
    if (serving.length === 0) {
      const missing = Math.min(this.#worthAWorker(runnable) - servers.size, this.#room())
      for (let count = 0; count < missing; count++) this.#account.add('first')
      return
    }
    const blocked = serving.every((server) => server.isBlocked || server.isLeaving)
    if (this.#waiting(blocked) <= 0) return
    if (blocked) this.#account.add('blocked')
    else this.#lookLater()
  }

  /** Whether an owner's limit leaves works without a worker. */
  get isStarved(): boolean {
    return this.#isStarved && this.#account.servers.size === 0
  }

  /** An owner's limit leaves no room: whoever has a worker to spare gives it up, or one ends some time. */
  #starve(): void {
    if (this.#isStarved) return
    this.#account.askForRoom(this.#account.servers.size === 0)
    this.#isStarved = true
    this.#considerLater()
  }

  #considerLater(): void {
    this.#starvedCheck ??= after(starvedMs, () => {
      this.#starvedCheck = null
      this.#isStarved = false
      this.consider()
    })
  }

  /** There may be room; or it is frozen, or not any more. */
  changed(): void {
    if (this.#account.isFrozen) this.#wasFrozen = true
    else if (this.#wasFrozen) this.#thawed()
    this.#starvedCheck?.cancel()
    this.#starvedCheck = null
    this.#isStarved = false
    this.consider()
  }

  /** Nobody was idle while nothing could run. */
  #thawed(): void {
    this.#wasFrozen = false
    for (const server of this.#account.servers) server.lastEndMs = runTime()
  }

  /**
   * Lets a server go that does nothing, though it be the last; for somebody who has none at all, also one
   * of the minimum, and one of several when it has finished what it does.
   *
   * @returns whether there was one
   */
  yieldServer(forOneWithNone: boolean): boolean {
    const { servers, runnable } = this.#account
    const staying = [...servers].filter((each) => each.state === 'serving' && !each.isLeaving)
    const kept = runnable > 0 ? 1 : forOneWithNone ? 0 : this.#min
    const last = staying.at(-1)
    if (last === undefined || staying.length <= kept || (runnable > 0 && !forOneWithNone))
      return false
    // Its minimum would take the place back at once: it is made anew when it has works.
    this.#gaveUp = true
    last.retire()
    return true
  }

  /** A server is due: it takes no more works, and ends when it has none. */
  leaving(server: Server): void {
    this.#due.set(server, runTime())
    this.consider()
  }

  /** A server is gone. */
  gone(server: Server): void {
    this.#due.delete(server)
    this.consider()
  }

  /** A server is there. */
  made(server: Server): void {
    this.#birthMs = 0.5 * this.#birthMs + 0.5 * Math.max(1, server.birthMs)
    if (server.readyMs - server.birthMs > this.#refusedAt) this.#refusedAt = Infinity
    if (this.#refusedAt === Infinity) this.#isPaused = false
    this.#watchIdle()
    this.consider()
  }

  /** A server could not be made: works wait for another one; if there is none, they fail (WQ-63). */
  failed(error: Error): void {
    const account = this.#account
    if (error instanceof UserWorkerError && error.owner !== undefined) return this.#starve()
    this.#refusedAt = runTime()
    if (account.servers.size === 0) {
      this.#isPaused = false
      account.failPending(account.endReason ?? error, account.endReason !== null)
    } else if (!this.#isPaused) {
      this.#isPaused = true
      after(pauseMs, () => {
        if (!this.#isPaused) return
        this.#isPaused = false
        this.consider()
      })
    }
  }

  /** Makes so many servers, if they are not there yet. */
  ensure(count: number): void {
    if (this.#isEnded) return
    const missing = Math.min(count, this.#max) - this.#account.servers.size
    for (let made = 0; made < missing; made++) this.#account.add('minimum')
  }

  /** No server is made from here on. */
  end(): void {
    this.#isEnded = true
    this.#check?.cancel()
    this.#heldCheck?.cancel()
    this.#idleCheck?.cancel()
  }

  /** Whether there are fewer than the maximum, or are when those are replaced that are due. */
  #mayGrow(): boolean {
    return this.#account.servers.size - this.#due.size < this.#max
  }

  /** How many servers may be made now. Where the last one was refused, one at a time tries. */
  #room(): number {
    const { servers } = this.#account
    const longAgo = runTime() - heldMs
    const held = [...this.#due.values()].filter((since) => since < longAgo).length
    const most = Math.min(this.#max + Math.min(held, this.#max), seats)
    const room = Math.min(most - servers.size, this.#account.room)
    if (this.#refusedAt === Infinity) return room
    return [...servers].some(({ state }) => state === 'booting') ? 0 : Math.min(1, room)
  }

  /** Of so many runnable works, those that a class without a worker makes one for (WQ-15). */
  #worthAWorker(runnable: number): number {
    if (this.#account.patient === 0 || runnable === 0) return runnable
    const { pending, patient } = this.#account.census()
    return Math.max(1, pending - patient)
  }

  /** Works for which no place is there, or coming; at most, unless `exactly`: that looks at each work. */
  #waiting(exactly = true): number {
    const { servers, runnable, patient, concurrency } = this.#account
    let [places, blocked, running] = [0, 0, 0]
    for (const { isLeaving, isBlocked } of servers) {
      if (isLeaving) continue
      places += isBlocked ? 1 : concurrency
      if (isBlocked) blocked++
      else running++
    }
    const waiting = runnable - places
    const isExact = (patient === 0 || running === 0) && (blocked === 0 || concurrency === 1)
    return waiting <= 0 || isExact || !exactly ? waiting : this.#waitingExactly(running > 0)
  }

  /** Those who are patient may have the free places first; where nobody runs, they are not (WQ-20). */
  #waitingExactly(isRunning: boolean): number {
    const { servers, concurrency } = this.#account
    const { pending, patient, claimed } = this.#account.census()
    let free = 0
    for (const server of servers) {
      if (server.isLeaving || server.isBlocked) continue
      free += Math.max(0, concurrency - (claimed.get(server.seat) ?? 0))
    }
    return isRunning ? pending - patient - Math.max(0, free - patient) : pending - free
  }

  #lookLater(): void {
    if (this.#check !== null) return
    this.#endsAtCheck = this.#account.ends.count
    this.#check = deadline(patienceMs, () => this.#look())
    this.#checkedAt = runTime()
  }

  #look(): void {
    this.#check = null
    if (this.#isEnded || this.#isPaused) return
    const waiting = this.#waiting()
    const room = this.#room()
    if (waiting <= 0 || room <= 0 || this.#account.isFrozen) return
    const rate = (this.#account.ends.count - this.#endsAtCheck) / (runTime() - this.#checkedAt)
    if (rate === 0) {
      for (let count = 0; count < Math.min(waiting, room); count++) this.#account.add('backlog')
    } else if (waiting / rate > this.#birthMs) this.#account.add('backlog')
    this.#lookLater()
  }

  /** Looks, as long as works wait, whether threads are held that seem to have places for them. */
  #watchHeld(): void {
    if (this.#isEnded || this.#account.servers.size >= this.#max) return
    const endsBefore = this.#account.ends.count
    this.#heldCheck = deadline(heldMs, () => {
      this.#heldCheck = null
      const { ends } = this.#account
      const { pending, patient, claimed } = this.#account.census()
      if (pending === 0) return
      if (ends.count === endsBefore && !this.#isPaused && !this.#account.isFrozen) {
        const held = pending - patient - this.#placesOfIdle(claimed)
        const room = this.#room()
        for (let count = 0; count < Math.min(held, room); count++) this.#account.add('backlog')
      }
      this.#watchHeld()
    })
  }

  /** The places of those who come, or have nothing to do. */
  #placesOfIdle(claimed: Census['claimed']): number {
    const idle = [...this.#account.servers].filter(({ seat }) => !claimed.has(seat))
    return idle.filter(({ isLeaving }) => !isLeaving).length * this.#account.concurrency
  }

  #watchIdle(): void {
    if (this.#idleCheck !== null || !Number.isFinite(this.#idleTimeoutMs)) return
    // Nobody counts the time of those who stay anyway.
    const isLimited = this.#account.room < Infinity && this.#account.servers.size > 0
    if (this.#isEnded || (this.#surplus() <= 0 && !isLimited)) return
    this.#idleCheck = deadline(Math.max(1, this.#idleTimeoutMs / 2), () => {
      this.#idleCheck = null
      if (!this.#account.isFrozen) this.#letIdleGo()
      this.#watchIdle()
    })
  }

  /**
   * How many servers more than those that always stay. Where an owner's limit leaves no room, the last
   * one is not kept: somebody may need its place, in another thread too.
   */
  #surplus(): number {
    const { servers, room } = this.#account
    const staying = [...servers].filter(({ isLeaving }) => !isLeaving).length
    return staying - Math.max(room > 0 ? 1 : 0, Math.min(this.#min, this.#max))
  }

  #letIdleGo(): void {
    let surplus = this.#surplus()
    const longAgo = runTime() - this.#idleTimeoutMs
    // The last ones made go first: the first seats are woken first.
    for (const server of [...this.#account.servers].toReversed()) {
      if (surplus <= 0) break
      if (server.state !== 'serving' || server.isLeaving) continue
      if (!server.isAsleep || server.lastEndMs > longAgo || server.readyMs > longAgo) continue
      server.retire()
      surplus--
    }
  }
}
