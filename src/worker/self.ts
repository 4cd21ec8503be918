/**
 * What a worker's function gets as its second argument: its view of itself.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { after, nextTurn, now } from '../os/clock.js'
import { checkExitCode, checkTimeMs, checkWords } from '../validate.js'
import {
  ask,
  controlOf,
  doze,
  EINTR,
  isKilled,
  listen,
  mustStand,
  nap,
  rouse,
  stand,
  type Point,
} from './control.js'
import { Flag, hasFlag } from './state.js'
import { at, Field, waits, type Wait } from './table.js'

/** A worker, seen from inside its own thread. */
export interface Self {
  /** The name given at creation. */
  readonly name: string
  /** Its number in this process, counted from 1 and never given twice. */
  readonly id: number
  /**
   * Aborted when a stop was requested, as soon as this thread's event loop hears of it: never
   * inside the function's own synchronous code, so that a listener added there is not too late.
   * Loops that never await ask {@link shouldStop}.
   */
  readonly signal: AbortSignal
  /**
   * Whether somebody asked this worker to stop: true from then on for ever (KT-8). Also seen in a
   * loop that never awaits.
   */
  shouldStop(): boolean
  /**
   * A signal point for code that never awaits: when the owner has asked this worker to park, or has
   * frozen it, it stands here until it is let go (KT-21, KT-25). The sleeps, and every turn of the
   * event loop, are such points too. It never ends the thread (SG-2).
   *
   * @returns whether it stood here
   */
  checkpoint(): boolean
  /**
   * Whether an owner above this worker was killed: true from then on for ever. A worker that lingers
   * goes on until it is stopped, and may look; any other is ended (SG-2, SG-11).
   */
  shouldDie(): boolean
  /**
   * Sleeps in the event loop. A stop ends it at once (KT-9), and so does a wake; one that came
   * since the last sleep ends it before it begins, so that no wake is ever lost.
   *
   * @param ms - milliseconds, from 0 to 2^31 - 1
   * @returns 0 after the full time; {@link EINTR} when a stop was requested before or meanwhile;
   * else, after a wake, what is left of the time in milliseconds, at least 1
   */
  sleep(ms: number): Promise<number>
  /** Like {@link sleep}, but blocks the thread and with it the thread's event loop. */
  sleepSync(ms: number): number
  /** Asks this worker, oneself, to stop. The function goes on, and can clean up (NP-4). */
  requestStop(): void
  /**
   * Ends this worker with an exit code, here and now (KT-10). Listeners of `process` for 'exit'
   * still run.
   *
   * @param code - a whole number of 32 bits
   */
  exit(code: number): never
  /**
   * Like {@link exit}, but then, as the very last thing, sets `completion[0]` to 1 and wakes who
   * waits for it: none of this thread's code runs after that (KT-26).
   *
   * @param completion - a shared `Int32Array`
   */
  completeAndExit(completion: Int32Array<SharedArrayBuffer>, code: number): never
}

/** What stands with a thread and goes on with it, such as a child process of its. */
export interface Companion {
  /**
   * Asks it to stand still.
   *
   * @returns whether it does; if not, it calls `OwnSelf.ring` as soon as it does
   */
  stand(): boolean
  goOn(): void
}

/** How {@link OwnSelf} leaves its thread: `entry.ts` knows. */
export interface Ways {
  /** Tells the owner that the thread stands still, or never will: the control word knows. */
  parked(): void
  /** Passes a message 'look' on to the workers that this thread has made. */
  lookBelow(): void
  /** Ends the thread; `last` runs when no other code will. */
  leave(code: number, last?: () => void): never
}

/** The worker of this thread, with the bell that the owner rings. */
export class OwnSelf implements Self {
  readonly name: string
  /** The thread counts as standing when this stands. */
  companion: Companion | null = null
  readonly #words: Words
  readonly #row: number
  readonly #ways: Ways
  /** Made when somebody asks for the signal: to abort one that nobody knows costs half a millisecond. */
  #stop: AbortController | null = null
  /** Whether the event loop has heard of a stop. */
  #stopHeard = false
  /** Called at each ring of the bell: sleepers, and the gate. */
  readonly #listeners = new Set<() => void>()
  /** Whether the workers below were told last that they are to stand. */
  #toldBelow = false
  /** How many wakes earlier sleeps have answered. */
  #answered = 0

  constructor(words: Words, row: number, name: string, ways: Ways) {
    this.#words = words
    this.#row = row
    this.name = name
    this.#ways = ways
  }

  get id(): number {
    return this.#word(Field.ID)
  }

  get signal(): AbortSignal {
    if (this.#stop === null) {
      this.#stop = new AbortController()
      if (this.#stopHeard) this.#stop.abort()
    }
    return this.#stop.signal
  }

  shouldStop(): boolean {
    return hasFlag(controlOf(this.#words, this.#row), Flag.STOP)
  }

  checkpoint(): boolean {
    return this.stand('work')
  }

  shouldDie(): boolean {
    return isKilled(this.#words, this.#row)
  }

  /** Whether it is to stand when it is between two works. */
  mustStand(): boolean {
    return mustStand(this.#words, this.#row, 'work')
  }

  /** Stands still at a signal point as long as it is told to. @returns whether it stood */
  stand(point: Point): boolean {
    // The common case costs a read for each owner above.
    if (!mustStand(this.#words, this.#row, point)) {
      if (this.companion !== null && !this.mustStand()) this.companion.goOn()
      return false
    }
    if (this.companion?.stand() === false) return false
    const isPark = hasFlag(controlOf(this.#words, this.#row), Flag.PARK)
    const stood = this.#waiting(isPark ? 'unpark' : 'thaw', () =>
      stand(this.#words, this.#row, () => this.#stands(), point),
    )
    this.companion?.goOn()
    return stood
  }

  /** A freeze concerns the workers below too, and they may sleep in their event loops. */
  #stands(): void {
    this.#ways.lookBelow()
    this.#ways.parked()
  }

  sleep(ms: number): Promise<number> {
    checkTimeMs('sleep: ms', ms)
    const until = now() + ms
    const answered = this.#answered
    return new Promise((resolve) => {
      const done = (result: number): void => {
        timer.cancel()
        this.#deafen(look)
        resolve(result)
      }
      // Waker: `requestStop` and `wake`, which change the words, then send 'look'. The words are
      // read after we listen and the doze is announced, so none is missed.
      const look = (): void => {
        this.checkpoint()
        if (this.shouldStop()) done(EINTR)
        else if (this.#isWoken(answered)) done(Math.max(1, until - now()))
      }
      const timer = after(ms, () => done(0))
      this.#listeners.add(look)
      this.#wait('sleep')
      doze(this.#words, this.#row)
      look()
    })
  }

  sleepSync(ms: number): number {
    checkTimeMs('sleepSync: ms', ms)
    const until = now() + ms
    const answered = this.#answered
    return this.#waiting('sleep', () => {
      for (;;) {
        const heard = listen(this.#words, this.#row)
        if (this.shouldStop()) return EINTR
        this.checkpoint()
        const left = until - now()
        if (this.#isWoken(answered)) return Math.max(1, left)
        if (left <= 0) return 0
        // Waker: `requestStop`, `park` and `wake`: each changes the words, then rings.
        nap(this.#words, this.#row, heard, left)
      }
    })
  }

  requestStop(): void {
    const word = ask(this.#words, this.#row, 'stop')
    // The owner waits for a park that this stop took back.
    if (hasFlag(word, Flag.PARK)) this.#ways.parked()
    // Whoever sleeps in this event loop hears of it in a turn of its own, as with the owner's.
    void nextTurn().then(() => this.ring())
  }

  exit(code: number): never {
    checkExitCode('exit: code', code)
    return this.#ways.leave(code)
  }

  completeAndExit(completion: Int32Array<SharedArrayBuffer>, code: number): never {
    checkWords('completeAndExit: completion', completion)
    checkExitCode('completeAndExit: code', code)
    return this.#ways.leave(code, () => {
      memory.store(completion, 0, 1)
      memory.notify(completion, 0)
    })
  }

  /** The bell as it is now. */
  listen(): number {
    return listen(this.#words, this.#row)
  }

  /**
   * Sleeps until the bell moves on from `heard`: blocked for a moment, in which a wake costs least,
   * then in the event loop.
   *
   * @returns whether the event loop turned
   */
  async idle(heard: number, blockedMs: number): Promise<boolean> {
    const woken = this.#waiting('wake', () => nap(this.#words, this.#row, heard, blockedMs))
    if (woken) return false
    await new Promise<void>((resolve) => {
      const look = (): void => {
        this.#deafen(look)
        resolve()
      }
      this.#listeners.add(look)
      this.#wait('wake')
      doze(this.#words, this.#row)
      // Waker: `ask` and `wake`, which ring, then send 'look'. The bell is read after the doze.
      if (this.listen() !== heard) look()
    })
    return true
  }

  /**
   * Sleeps in a way of the function's own, unless the bell has moved on from `heard`.
   *
   * @param sleep - returns, or resolves, once the owner's bell is called
   */
  sleepBy(heard: number, sleep: (self: Self) => void | Promise<void>): void | Promise<void> {
    const up = (): void => this.#deafen(up)
    this.#wait('wake')
    doze(this.#words, this.#row)
    // Waker: `ask` and `wake`, which ring, then call the bell. Read after the doze.
    const slept = this.listen() === heard ? sleep(this) : undefined
    if (slept === undefined) return up()
    return slept.then(up)
  }

  /** The owner rang: something was asked in the row's words. */
  ring(): void {
    // Looked at first: a stop that comes from here on rings by itself. The gate may be opened below,
    // and a function that is not called yet could not hear an abort.
    const stopping = this.shouldStop()
    // Works that run may be finished first; the workers below need not wait for that.
    const isTold = this.mustStand()
    // Of a thaw too: they may not have stood.
    if (isTold || this.#toldBelow) this.#ways.lookBelow()
    this.#toldBelow = isTold
    this.stand('anywhere')
    for (const listener of this.#listeners) listener()
    if (!stopping) return
    this.#stopHeard = true
    this.#stop?.abort()
  }

  /** Waits at the gate: calls `look` at once and at each ring, until it answers true. */
  gate(look: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const pass = (): void => {
        this.checkpoint()
        if (!look()) return
        this.#deafen(pass)
        resolve()
      }
      this.#listeners.add(pass)
      this.#wait('start')
      pass()
    })
  }

  /** Whether a wake came that the sleeps before this one had not answered; it is answered then. */
  #isWoken(answered: number): boolean {
    const wakes = this.#word(Field.WAKES)
    if (wakes === answered) return false
    this.#answered = wakes
    return true
  }

  #deafen(listener: () => void): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    rouse(this.#words, this.#row)
    this.#wait('nothing')
  }

  #waiting<T>(wait: Wait, during: () => T): T {
    const before = this.#word(Field.WAITING)
    this.#wait(wait)
    try {
      return during()
    } finally {
      memory.store(this.#words, at(this.#row, Field.WAITING), before)
    }
  }

  #wait(wait: Wait): void {
    memory.store(this.#words, at(this.#row, Field.WAITING), waits.indexOf(wait))
  }

  #word(field: number): number {
    return memory.load(this.#words, at(this.#row, field))
  }
}
