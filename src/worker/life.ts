/**
 * A worker's life from its owner's side: what was asked, what was heard, and who is told.
 *
 * The states live in the worker's row (`state.ts`); this side only asks, waits and settles. Who
 * settles what, whichever way the thread ends:
 *
 * | promise  | settled by                                                                     |
 * | -------- | ------------------------------------------------------------------------------ |
 * | `create` | the message 'created'; else the thread's 'exit'; else the deadline, the signal |
 * | `start`  | the message 'entered'; else the thread's 'exit'                                |
 * | `park`   | the message 'parked'; else an unpark, a stop; else the thread's 'exit'         |
 * | `join`   | the thread's 'exit'; in `stop` also the caller's deadline                      |
 *
 * @module
 */
import type { Readable } from 'node:stream'
import * as memory from '#memory'
import { aborted, UserWorkerError } from '../errors.js'
import { deadline, nextTurn, type Timer } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { controlOf, isParked, ring } from './control.js'
import { EndWaits, type Patience } from './end-waits.js'
import { errorOf } from './error-report.js'
import { isKill, verdict, warnOfEnd, type Verdict } from './exit.js'
import { adoptionOf, Link, type Ear } from './link.js'
import { loadTimeout } from './load.js'
import { freezeBelow, stood, thawBelow, type FreezeOptions, type FreezeReport } from './freeze.js'
import { limitHeap, type CheckedOptions } from './options.js'
import type { OnOwnerKill, ToOwner } from './protocol.js'
import type { Member, Scope } from './scope.js'
import { laggardOf } from './seen.js'
import { takeSpare } from './spares.js'
import { after, Flag, hasFlag } from './state.js'
import { thawedDeadline } from './thawed-deadline.js'
import { at, Field } from './table.js'

/**
 * A thread that cannot be ended, because it stands in a system call, is reported this long after
 * its deadline.
 */
const terminateGraceMs = 500

/** A loop that cleans up after its owner was killed is ended by force after so long. */
const dieGraceMs = 1000

/** Called when the thread is gone. */
export type ExitListener = (code: number, error: Error | null) => void

/** A thread's end, with the last control word. */
export type End = Verdict & { readonly control: number }

export class Life implements Ear, Member {
  readonly endsOthers = false
  readonly name: string
  readonly id: number
  readonly link: Link
  /** Whether the thread was made for this worker, or was booted before. */
  readonly madeFrom: 'thread' | 'spare'
  readonly outputs: { readonly stdout: Readable | null; readonly stderr: Readable | null }
  osThreadId: number | null = null
  /** The verdict, once the thread is gone and its row another's. */
  end: End | null = null
  /** Called when the function was entered. */
  onEntered: () => void = () => {}
  /** Whether anybody was told, or can be expected to know, how it ended. */
  #asked = false
  readonly #created: Pending<void>
  readonly #starts = new Set<Pending<boolean>>()
  readonly #ends: EndWaits
  readonly #exitListeners: ExitListener[] = []
  #park: Pending<void> | null = null
  #grace: Timer | null = null
  #killed = false
  /** Why, where an owner above was killed. */
  #ownerKilled: UserWorkerError | null = null
  /** What the function does when an owner above is killed. */
  #onOwnerKill: OnOwnerKill = 'end'
  readonly #scope: Scope
  #told: Error | null = null
  #uncaught: Error | null = null
  #left: number | null = null
  #failed: Error | null = null

  /** @throws what `Link` throws, with nothing left */
  constructor(options: CheckedOptions) {
    const { name, scope } = options
    this.name = name
    this.#scope = scope
    const thread = limitHeap(options.thread, scope.heapMb)
    const spare = takeSpare(this, () => adoptionOf(options, 'spare'), thread, scope)
    this.madeFrom = spare === null ? 'thread' : 'spare'
    const make = (): Link =>
      new Link(this, { name, options: thread, scope, adoption: adoptionOf(options, 'thread') })
    this.link = spare ?? make()
    this.link.bell = options.bell
    scope.enter(this)
    const { stdout, stderr } = this.link.thread
    this.outputs = {
      stdout: thread.stdout === true ? stdout : null,
      stderr: thread.stderr === true ? stderr : null,
    }
    this.id = memory.load(this.link.words, at(this.link.row, Field.ID))
    this.#ends = new EndWaits(this.link.words, this.id)
    this.#created = new Pending(`creation of '${name}'`)
  }

  /** Resolves when the thread stands at the gate; see `UserWorker.create`. */
  async created(options: CheckedOptions): Promise<void> {
    const { module, loadDeadlineMs, signal } = options
    const giveUp = (): void => this.#giveUp(aborted(signal?.reason))
    signal?.addEventListener('abort', giveUp, { once: true })
    const isFrozen = (): boolean => this.#scope.isFrozen
    const limit = thawedDeadline(loadDeadlineMs, isFrozen, () => {
      const stuck = '; its thread stands in a system call and cannot be ended before that returns'
      this.#giveUp(loadTimeout(module, loadDeadlineMs), loadTimeout(module, loadDeadlineMs, stuck))
    })
    try {
      await this.#created.promise
    } finally {
      limit.cancel()
      this.#grace?.cancel()
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** The control word; the last one, once the thread is gone. */
  get control(): number {
    return this.end?.control ?? controlOf(this.link.words, this.link.row)
  }

  get error(): Error | null {
    this.#asked ||= this.end !== null
    return this.end?.error ?? null
  }

  start(): Promise<boolean> {
    if (hasFlag(this.control, Flag.ENTERED)) return Promise.resolve(true)
    const started = new Pending<boolean>(`start of '${this.name}'`)
    if (this.end !== null) settleStart(started, this.end)
    else {
      this.#starts.add(started)
      this.link.ask('start')
    }
    return started.promise
  }

  async park(): Promise<void> {
    const outcome = this.end === null ? this.link.askToPark() : 'exiting'
    if (outcome === 'busy') {
      throw new UserWorkerError('EBUSY', `Worker '${this.name}' is told to park already`)
    }
    if (outcome === 'exiting') throw this.#neverParks()
    if (outcome === 'parked') return
    this.#park = new Pending(`park of '${this.name}'`)
    await this.#park.promise
  }

  /** @returns whether it was told to park */
  unpark(): boolean {
    if (this.end !== null || after(this.link.ask('unpark'), 'unpark') === null) return false
    const text = `Worker '${this.name}' was let go before it stood still`
    this.#park?.reject(new UserWorkerError('ECANCELED', text))
    return true
  }

  requestStop(): void {
    if (this.end !== null) return
    this.link.ask('stop')
    this.#park?.reject(this.#neverParks())
  }

  /** @throws UserWorkerError EDEADLK, before anything is asked */
  waitForEnd(patience?: Patience): Promise<number> {
    this.#asked = true
    if (this.end !== null) return Promise.resolve(this.end.code)
    return this.#ends.wait(`end of '${this.name}'`, patience)
  }

  onExit(listener: ExitListener): void {
    this.#asked = true
    this.watch(listener)
  }

  /** {@link onExit}, for a listener who tells nobody. */
  watch(listener: ExitListener): void {
    if (this.end === null) this.#exitListeners.push(listener)
    else listener(this.end.code, this.end.error)
  }

  /** Takes {@link watch} back, or {@link onExit}. */
  unwatch(listener: ExitListener): void {
    const place = this.#exitListeners.indexOf(listener)
    // Once it has ended they are called, one after the other.
    if (place >= 0 && this.end === null) this.#exitListeners.splice(place, 1)
  }

  /** Sends the message 'look'. */
  look(): void {
    if (this.end === null) this.link.look()
  }

  nameOf(row: number): string | undefined {
    return this.end === null && row === this.link.row ? this.name : undefined
  }

  /** Nothing of it waits for room, or works only while it is not frozen. */
  changed(): void {}

  /** It is somebody's, whatever it does. */
  yieldWorker(): boolean {
    return false
  }

  /** The worker is to stop, and is waited for. */
  finish(): Promise<number> {
    this.requestStop()
    return this.waitForEnd()
  }

  killed(error: UserWorkerError): void {
    if (this.end !== null) return
    this.#ownerKilled = error
    if (this.#onOwnerKill === 'end') return this.kill()
    // A loop that is to clean up does not stand still for that.
    if (this.#onOwnerKill === 'die') this.unpark()
    // It sees the flag above its row at its next signal point.
    ring(this.link.words, this.link.row)
    this.link.look()
    if (this.#onOwnerKill === 'linger') return
    const limit = deadline(dieGraceMs, () => this.kill())
    this.watch(() => limit.cancel())
  }

  async freeze(options: Required<FreezeOptions>): Promise<FreezeReport> {
    const { words, row } = this.link
    const isToEnd = hasFlag(this.control, Flag.STOP) || this.#ownerKilled !== null
    if (this.end !== null || isToEnd) throw this.#neverParks()
    const rows = await freezeBelow(words, row, options, () => this.look())
    return { laggards: rows.map((each) => laggardOf(words, each, this.nameOf(each))) }
  }

  /** @returns whether it was frozen */
  thaw(): boolean {
    if (this.end !== null) return false
    const wasFrozen = thawBelow(this.link.words, this.link.row)
    this.look()
    return wasFrozen
  }

  kill(): void {
    // Node's `terminate` adds a listener at each call.
    if (this.end !== null || this.#killed) return
    this.#killed = true
    void this.link.thread.terminate()
    this.link.bell()
  }

  hear(message: ToOwner): void {
    switch (message.type) {
      case 'booted':
        break
      case 'created':
        this.#onOwnerKill = message.onOwnerKill
        this.osThreadId = memory.load(this.link.words, at(this.link.row, Field.OS_THREAD)) || null
        // Unless it was given up while the message was on its way: then its end rejects `create`.
        if (!this.#killed) this.#created.resolve()
        break
      case 'entered':
        for (const start of this.#starts) start.resolve(true)
        this.#starts.clear()
        this.onEntered()
        break
      case 'parked':
        stood()
        // The message may be of an earlier park; the word is of this one.
        if (isParked(this.link.words, this.link.row)) this.#park?.resolve()
        // It was let go by a stop, maybe its own, and is not asked to park again.
        else if (hasFlag(this.control, Flag.STOP)) this.#park?.reject(this.#neverParks())
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

  failed(error: Error): void {
    this.#failed = error
  }

  /** The thread is gone. Everything that still waits for it is settled here. */
  exited(nodeCode: number): void {
    const { words, row } = this.link
    const { control, name } = this
    const exitCode = memory.load(words, at(row, Field.EXIT_CODE))
    const kills = { killed: this.#killed, ownerKilled: this.#ownerKilled }
    const facts = { name, control, exitCode, nodeCode, ...kills, told: this.#told }
    const ways = { uncaught: this.#uncaught, left: this.#left, ended: this.#failed }
    const end = { control, ...verdict({ ...facts, ...ways }) }
    this.end = end
    const failedToLoad = this.#created.reject(
      end.error ?? new UserWorkerError('ERR_WORKER_DIED', `Worker '${name}' ended while it loaded`),
    )
    this.#asked ||= failedToLoad || this.#killed || this.#starts.size > 0
    if (end.error !== null && !this.#asked) void this.#warnUnlessAsked(end.error)
    for (const start of this.#starts) settleStart(start, end)
    this.#starts.clear()
    this.#park?.reject(this.#neverParks(end.error))
    this.#ends.settle(end.code)
    // Its row is freed right after this.
    queueMicrotask(() => this.#scope.leave(this))
    for (const listener of this.#exitListeners) tellApart(() => listener(end.code, end.error))
  }

  #neverParks(cause: Error | null = null): UserWorkerError {
    const text = `Worker '${this.name}' has exited or was told to end, and does not stand still any more`
    return new UserWorkerError('ENOSYS', text, cause === null ? {} : { cause })
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

  /**
   * Ends the thread and rejects `create`, with `ifStuck` when the thread cannot be ended in time.
   */
  #giveUp(error: UserWorkerError, ifStuck: UserWorkerError = error): void {
    this.#told = error
    this.kill()
    this.#grace = deadline(terminateGraceMs, () => this.#created.reject(ifStuck))
  }
}

function settleStart(start: Pending<boolean>, { control, error }: End): void {
  // The word is the authority: the message that says "entered" may have been lost with the thread.
  if (hasFlag(control, Flag.ENTERED)) start.resolve(true)
  else if (error === null || isKill(error)) start.resolve(false)
  else start.reject(error)
}

/**
 * Calls a listener so that an error of its own is an uncaught one, and not the next listener's
 * loss.
 */
export function tellApart(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
