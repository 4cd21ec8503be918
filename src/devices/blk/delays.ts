/**
 * What a thread does later: requests over a limit, and those that a fault holds up.
 *
 * @module
 */
import { Alarm } from '../../os/alarm.js'
import { now } from '../../os/clock.js'
import type { DeviceHost } from '../../vhost/index.js'

interface Delayed {
  readonly at: number
  readonly run: () => void
}

/** Calls by their time. They are made in this thread, between two batches, by one descriptor. */
export class Delays {
  readonly #host: Pick<DeviceHost, 'watch'>
  /** A vring that stops waits for nothing. */
  readonly #stops: { close(): void }
  /** Made when it is needed. */
  #alarm: Alarm | null = null
  #watch: { close(): void } | null = null
  /** The soonest last. */
  readonly #waiting: Delayed[] = []

  constructor(host: Pick<DeviceHost, 'onStop' | 'watch'>) {
    this.#host = host
    this.#stops = host.onStop(() => this.#runAll())
  }

  /** Calls `run` in so many milliseconds. */
  after(ms: number, run: () => void): void {
    const at = now() + ms
    const waiting = this.#waiting
    // Most come to stand at the beginning: behind all that wait already.
    let index = 0
    while (index < waiting.length && (waiting[index] as Delayed).at > at) index++
    waiting.splice(index, 0, { at, run })
    if (index === waiting.length - 1) this.#set(ms)
  }

  close(): void {
    this.#stops.close()
    this.#watch?.close()
    this.#alarm?.close()
  }

  #set(ms: number): void {
    if (this.#alarm === null) {
      this.#alarm = new Alarm()
      this.#watch = this.#host.watch(this.#alarm.fd, () => this.#runDue())
    }
    this.#alarm.set(ms)
  }

  #runAll(): void {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) next.run()
  }

  #runDue(): void {
    this.#alarm?.clear()
    for (;;) {
      const next = this.#waiting.at(-1)
      if (next === undefined) return
      const left = next.at - now()
      if (left > 0) return this.#set(left)
      this.#waiting.pop()
      next.run()
    }
  }
}
