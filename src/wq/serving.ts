/**
 * A queue's worker, from inside its thread: takes works out of the rings, calls their handlers, and
 * writes what came of it.
 *
 * A work is claimed, begun, ended. Between two of these steps the thread may be terminated at any
 * instruction; what it leaves is in the slots, and the owner settles it (`ring/slot.ts`).
 *
 * @module
 */
import * as memory from '#memory'
import { microseconds, now } from '../os/clock.js'
import {
  closeChain,
  coming,
  type Completions,
  done,
  Entry,
  Form,
  formatOf,
  formOf,
  generationOf,
  getUp,
  idOf,
  levels,
  lieDown,
  Mark,
  mayHave,
  nameOf,
  Slot,
  slotOf,
  Spin,
  stateOf,
  takeNext,
  takeWaitingOwner,
  viewsOf,
  type ClassMemory,
} from '../ring/index.js'
import { reportOf, type OwnSelf } from '../worker/thread-side.js'
import { notReadable } from './announced.js'
import { Chains } from './chains.js'
import type { Handlers } from './numbered-handlers.js'
import { argumentsOf, callHandler } from './calling.js'
import { isThenable } from './items.js'
import type { Post } from './post.js'
import type { ServeData } from './protocol.js'
import { Running } from './running-work.js'
import { SignalPoints } from './signal-points.js'
import { trace } from './trace.js'

/** Why {@link Serving.pump} came back. */
export type Pumped = 'empty' | 'full' | 'turn' | 'rung'

/** Works that find the next one waiting turn the event loop this often, for timers and messages. */
const turnEveryMs = 5
/** The clock is read once in so many works. */
const worksPerClock = 16
export class Serving {
  readonly #memory: ClassMemory
  readonly #data: ServeData
  readonly #self: OwnSelf
  readonly #post: Post
  readonly #handlers: Handlers
  readonly #completions: Completions
  readonly #spin: Spin
  /** Works that were begun and wait for something, by their slots. */
  readonly #running = new Map<number, Running>()
  #served = 0
  /** How many completions there were when the owner was last told, or seen not to wait. */
  #rung = 0
  #leaving = false
  #pumping = false
  /** Whether no work is to be begun: the worker is to stand still between two of them. */
  #halted = false
  /** When the last handler of this turn has ended; 0: none has. */
  #endedAt = 0
  /** Whether it said that it sleeps, and has not said since that it does not. */
  #lying = false
  /** Claimed works whose arguments have come by message. */
  readonly #arrived: Running[] = []
  /** The work whose handler is being called right now. */
  #calling: Running | null = null
  readonly #chains: Chains
  readonly #points: SignalPoints
  /** The work that a chain goes on with here: claimed, and not begun. */
  #next: Running | null = null

  constructor(data: ServeData, self: OwnSelf, handlers: Handlers, post: Post) {
    this.#data = data
    this.#self = self
    this.#memory = viewsOf(data.words)
    this.#handlers = handlers
    this.#post = post
    this.#completions = post.completions
    this.#spin = new Spin(data.spins)
    this.#points = new SignalPoints(this.#memory, data.completions, self, post)
    this.#chains = new Chains(data.words, data.seat, post.completions)
  }

  /** Works that were claimed and have not ended. */
  get count(): number {
    return this.#running.size + this.#arrived.length + (this.#next === null ? 0 : 1)
  }

  /** Whether it takes no more works. */
  get isLeaving(): boolean {
    return this.#leaving || this.#self.shouldStop()
  }

  /** The work with this number, if it was claimed here and has not ended. */
  find(id: number): Running | undefined {
    if (this.#calling?.id === id) return this.#calling
    if (this.#next?.id === id) return this.#next
    for (const work of this.#running.values()) if (work.id === id) return work
    return this.#arrived.find((work) => work.id === id)
  }

  /** Whether no work has begun that has not ended. */
  get isBetweenWorks(): boolean {
    for (const work of this.#running.values()) if (work.called) return false
    return true
  }

  /**
   * Takes and runs works until none is ready, or all places are taken, or the event loop must turn, or
   * the bell has rung: something was asked.
   */
  pump(): Pumped {
    // A handler that ends while we are in here has freed its place; the loop sees that.
    if (this.#pumping) return 'full'
    this.#pumping = true
    this.#endedAt = 0
    const heard = this.#self.listen()
    this.#halted = this.#self.mustStand()
    try {
      return this.#serve(heard)
    } finally {
      this.#pumping = false
    }
  }

  /** Looks for a work for a moment. Whether there may be one. */
  look(heard: number): boolean {
    return this.#spin.look(() => this.#mayServe() || this.#self.listen() !== heard)
  }

  /** Says that the thread sleeps; false: there is something to do after all. */
  lieDown(): boolean {
    lieDown(this.#memory.words, this.#data.seat)
    this.#lying = true
    if (!this.#mayServe()) return true
    this.getUp()
    return false
  }

  /** @returns whether somebody has woken it meanwhile */
  getUp(): boolean {
    if (!this.#lying) return false
    this.#lying = false
    return !getUp(this.#memory.words, this.#data.seat)
  }

  /** The arguments of a claimed work have come by message; null: they will not. */
  begin(id: number, args: readonly unknown[] | null): void {
    const work = this.find(id)
    if (work === undefined) return
    this.#running.delete(work.slot)
    work.args = args
    this.#arrived.push(work)
    // Inside a handler, at its checkpoint, they wait for it to end.
    if (!this.#pumping) this.#goOn()
  }

  /** The arguments of the work that has waited longest have come, and cannot be read here. */
  argumentsUnreadable(): void {
    for (const work of this.#running.values()) {
      if (formOf(work.format) !== Form.MESSAGE || work.args !== null || work.called) continue
      this.#running.delete(work.slot)
      this.#fail(work, notReadable('An argument of a work'))
      return this.#goOn()
    }
  }

  /** When a handler is called: of works in a row, when the one before has ended. */
  #begins(): number {
    const endedAt = this.#endedAt
    this.#endedAt = 0
    return endedAt === 0 ? microseconds() | 1 : endedAt
  }

  #serve(heard: number): Pumped {
    const until = now() + turnEveryMs
    for (let served = 1; ; served++) {
      if (!this.#halted) this.#callArrived()
      if (this.#running.size >= this.#data.concurrency) {
        this.#ringOwner()
        return 'full'
      }
      const work = this.#take()
      // Whoever hears of the end of a work finds the next one running, if there is one.
      this.#ringOwner()
      if (work === null) return 'empty'
      this.#start(work)
      if (this.#self.listen() !== heard) {
        this.#ringOwner()
        return 'rung'
      }
      if (served % worksPerClock === 0 && now() > until) {
        this.#ringOwner()
        return 'turn'
      }
    }
  }

  /** The works that have got their arguments, or will not get them: those are settled already. */
  #callArrived(): void {
    for (let work = this.#arrived.shift(); work !== undefined; work = this.#arrived.shift()) {
      if (work.args === null) this.#complete(work, undefined)
      else this.#call(work, work.args)
    }
  }

  #mayServe(): boolean {
    if (this.#halted || this.isLeaving || this.#isSpreading()) return false
    const { words } = this.#memory
    for (let level = 0; level < levels.length; level++) if (mayHave(words, level)) return true
    return this.#chains.hasOffered
  }

  /** While others are being made, who has a work leaves the next ones to them. */
  #isSpreading(): boolean {
    return this.#running.size > 0 && memory.load(this.#memory.words, coming) > 0
  }

  /** The next work, claimed; null: none is ready. */
  #take(): Running | null {
    if (this.#halted) return null
    const chained = this.#next
    this.#next = null
    if (chained !== null) return chained
    if (this.isLeaving || this.#isSpreading()) return null
    const slot = this.#takeSlot()
    return slot < 0 ? null : this.#claimed(slot)
  }

  #takeSlot(): number {
    const { words } = this.#memory
    const { seat } = this.#data
    // Chains and the rest in turns: each keeps the other waiting for one work.
    const offered = this.#served % 2 === 0 ? this.#chains.takeOffered() : -1
    if (offered >= 0) return offered
    for (let level = 0; level < levels.length; level++) {
      const slot = takeNext(words, level, seat)
      if (slot >= 0) return slot
    }
    return this.#chains.takeOffered()
  }

  #claimed(slot: number): Running {
    const from = this.#memory
    const generation = generationOf(stateOf(from.words, slot))
    const format = formatOf(from, slot)
    return new Running(this.#points, slot, generation, format, idOf(from, slot), nameOf(from, slot))
  }

  #start(work: Running): void {
    const { slot, generation, format } = work
    if (formOf(format) === Form.MESSAGE) {
      this.#running.set(slot, work)
      this.#completions.push(Entry.WANT, slot, generation)
      this.#ringOwner()
      return
    }
    let args: readonly unknown[]
    try {
      args = this.#post.readArguments(this.#memory, slot, format)
    } catch (error) {
      this.#fail(work, error)
      return
    }
    this.#call(work, args)
  }

  #call(work: Running, values: readonly unknown[]): void {
    memory.store(this.#memory.words, slotOf(work.slot) + Slot.BEGAN, this.#begins())
    work.called = true
    let result: unknown
    try {
      this.#calling = work
      const args = argumentsOf(work, values, this.#memory, this.#post)
      const handler = this.#handlers.get(work.nameNumber)
      work.name = handler.name
      trace('execute-start', { work })
      result = callHandler(work, handler, args, this.#post)
    } catch (error) {
      this.#fail(work, error)
      return
    } finally {
      this.#calling = null
    }
    if (!isThenable(result)) {
      this.#complete(work, result)
      return
    }
    this.#running.set(work.slot, work)
    Promise.resolve(result).then(
      (value) => {
        this.#running.delete(work.slot)
        this.#complete(work, value)
        this.#goOn()
      },
      (error: unknown) => {
        this.#running.delete(work.slot)
        this.#fail(work, error)
        this.#goOn()
      },
    )
  }

  /** A place is free again: the next work has it at once, or the loop that sleeps sees to it. */
  #goOn(): void {
    const woken = this.getUp()
    const pumped = this.pump()
    if (pumped === 'full') this.passOn(woken)
    else if (pumped === 'turn' || pumped === 'rung' || this.isLeaving || this.#running.size === 0)
      this.#self.ring()
    else if (!this.lieDown()) this.#self.ring()
  }

  /** It was woken for a work, and has no place for it any more: the owner wakes another. */
  passOn(woken: boolean): void {
    const { words } = this.#memory
    if (woken && levels.some((_, level) => mayHave(words, level))) this.#post.tell({ type: 'look' })
  }

  #complete(work: Running, value: unknown): void {
    const isStream = (work.format & Mark.STREAM) !== 0
    // What it told, its items too, went by message: so the end goes behind it.
    const format =
      isStream || work.hasTold
        ? this.#post.sendResult(isStream ? undefined : value)
        : this.#post.writeResult(this.#memory, work.slot, value)
    this.#end(work, format)
  }

  #fail(work: Running, error: unknown): void {
    this.#end(work, this.#post.sendError(reportOf(error)))
  }

  #end(work: Running, format: number): void {
    const { words } = this.#memory
    const { slot, generation } = work
    trace('execute-end', { work })
    const at = slotOf(slot)
    this.#endedAt = microseconds() | 1
    if (!work.called) memory.store(words, at + Slot.BEGAN, this.#endedAt)
    words[at + Slot.ENDED] = this.#endedAt
    words[at + Slot.FORMAT] = format
    work.ended = true
    const isChained = (work.format & Mark.CHAINED) !== 0
    // Before DONE: see `ring/slot.ts`.
    const next = isChained ? closeChain(words, slot) : -1
    done(words, slot, generation, this.#data.seat)
    this.#completions.push(Entry.DONE, slot, generation)
    this.#served++
    this.#chains.ended(next, this.isLeaving || this.#next !== null)
    const chained = this.#chains.next()
    if (chained >= 0) this.#next = this.#claimed(chained)
    this.#recycle()
  }

  #recycle(): void {
    const { works, heapMb } = this.#data.recycle
    if (this.#leaving) return
    const isWorn = works !== null && this.#served >= works
    if (isWorn || (heapMb !== null && this.#served % 64 === 0 && this.#handlers.heapMb > heapMb)) {
      this.#leaving = true
      this.#post.tell({ type: 'leaving' })
    }
  }

  #ringOwner(): void {
    // What it was told of, or had looked at before it began to wait, is no news.
    if (this.#completions.pushed === this.#rung) return
    this.#rung = this.#completions.pushed
    if (takeWaitingOwner(this.#data.owner)) this.#post.tell({ type: 'look' })
  }
}
