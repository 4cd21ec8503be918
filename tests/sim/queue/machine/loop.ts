/**
 * The event loop of a simulated thread, turn by turn as libuv's: timers that are due, what has arrived,
 * immediates.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'

/** Something that the loop is to call. */
export interface Call {
  readonly run: () => void
  /** What the call carries: where it was asked for. */
  readonly resource: AsyncResource
}

/** Where calls arrive from outside: the messages of a port. */
export interface Inlet {
  /** How many have arrived. */
  readonly length: number
  take(): Call
}

interface Timer extends Call {
  at: number
  readonly everyMs: number | null
}

/** Timers further away than this keep something alive, and are never due. */
const neverMs = 1e9

/** A call of what is asked for here and now. */
export function callOf(run: () => void): Call {
  return { run, resource: new AsyncResource('SimulatedCall', { requireManualDestroy: true }) }
}

export class Loop {
  readonly inlets = new Set<Inlet>()
  readonly #timers = new Map<number, Timer>()
  readonly #immediates = new Map<number, Call>()
  readonly #events: { readonly at: number; readonly call: Call }[] = []
  #lastId = 0
  #phase: 'timers' | 'poll' | 'check' = 'timers'
  /** What this turn's poll has left to do: how much of which inlet. */
  #polled = new Map<Inlet, number>()
  /** The immediates of this turn's check. */
  #checked: number[] = []

  setTimer(run: () => void, ms: number, now: number, everyMs: number | null = null): number {
    const wait = Math.max(1, Math.floor(ms) || 1)
    this.#timers.set(++this.#lastId, { ...callOf(run), at: now + wait, everyMs })
    return this.#lastId
  }

  clearTimer(id: number): void {
    this.#timers.delete(id)
  }

  setImmediate(run: () => void): number {
    this.#immediates.set(++this.#lastId, callOf(run))
    return this.#lastId
  }

  clearImmediate(id: number): void {
    this.#immediates.delete(id)
  }

  /** Something that is to arrive at that time; what is told first arrives first. */
  arrive(at: number, call: Call): void {
    const last = this.#events.at(-1)?.at ?? 0
    this.#events.push({ at: Math.max(at, last), call })
  }

  /** Timers that can be due some day. */
  get timers(): number {
    let count = 0
    for (const { everyMs, at } of this.#timers.values()) if ((everyMs ?? at) < neverMs) count++
    return count
  }

  /** When there is something to do, at the earliest; Infinity: nothing is to come. */
  get next(): number {
    if (this.#immediates.size > 0) return 0
    for (const inlet of this.inlets) if (inlet.length > 0) return 0
    let next = this.#events[0]?.at ?? Infinity
    for (const { at, everyMs } of this.#timers.values()) {
      if ((everyMs ?? 0) < neverMs) next = Math.min(next, at)
    }
    return next
  }

  /** What is to be called next; null: nothing is to do now. */
  take(now: number, among: (count: number) => number): Call | null {
    // Each phase once, and the first one again.
    for (let phases = 0; phases < 4; phases++) {
      const call = this.#takeOf(now, among)
      if (call !== null) return call
      this.#begin()
    }
    return null
  }

  #begin(): void {
    if (this.#phase === 'timers') {
      this.#phase = 'poll'
      this.#polled = new Map([...this.inlets].map((inlet) => [inlet, inlet.length]))
    } else if (this.#phase === 'poll') {
      this.#phase = 'check'
      this.#checked = [...this.#immediates.keys()]
    } else this.#phase = 'timers'
  }

  #takeOf(now: number, among: (count: number) => number): Call | null {
    if (this.#phase === 'timers') return this.#takeTimer(now)
    if (this.#phase === 'poll') return this.#takeArrived(now, among)
    for (let id = this.#checked.shift(); id !== undefined; id = this.#checked.shift()) {
      const call = this.#immediates.get(id)
      if (call === undefined) continue
      this.#immediates.delete(id)
      return call
    }
    return null
  }

  #takeTimer(now: number): Call | null {
    let first: [number, Timer] | null = null
    for (const entry of this.#timers) {
      if (entry[1].at <= now && (first === null || entry[1].at < first[1].at)) first = entry
    }
    if (first === null) return null
    const [id, timer] = first
    if (timer.everyMs === null) this.#timers.delete(id)
    else timer.at = now + Math.max(1, timer.everyMs)
    return timer
  }

  #takeArrived(now: number, among: (count: number) => number): Call | null {
    const open = [...this.#polled].filter(
      ([inlet, count]) => count > 0 && inlet.length > 0 && this.inlets.has(inlet),
    )
    const hasEvent = (this.#events[0]?.at ?? Infinity) <= now
    const choices = open.length + (hasEvent ? 1 : 0)
    if (choices === 0) return null
    const [inlet, count] = open[among(choices)] ?? []
    if (inlet === undefined || count === undefined) return this.#events.shift()?.call ?? null
    this.#polled.set(inlet, count - 1)
    return inlet.take()
  }
}
