/**
 * Spares: threads that are booted ahead of time and wait to be somebody. A thread takes some 30 ms
 * to boot; a spare becomes a worker in less than one.
 *
 * They are kept per set of those options that cannot change once a thread runs: the rest (name,
 * module, data, environment, arguments, priority) comes with the adoption. Each thread that makes
 * workers has spares of its own, since only the thread that made a thread can hear of its end.
 *
 * A spare keeps no process alive and executes nothing of anybody's (INV-UW-2). One that ends by
 * itself is forgotten; the next adoption makes up for it.
 *
 * @module
 */
import { after } from '../os/clock.js'
import { SHARE_ENV } from '../os/thread.js'
import { Pending } from '../os/pending.js'
import { UserWorkerError } from '../errors.js'
import { Link, type Adoption, type Ear } from './link.js'
import type { ThreadOptions } from './options.js'
import { spareName, type ToOwner } from './protocol.js'

/**
 * Making a thread holds its owner up for some 3 ms: that is put off until the workers that were
 * wanted at the same time have their spares.
 */
const refillDelayMs = 10

/** The spares of one set of options. */
class Shelf {
  readonly #options: ThreadOptions
  readonly #ready: Spare[] = []
  /** Those that boot, and when each is on the shelf. */
  readonly #booting = new Map<Spare, Promise<void>>()
  #wanted = 0
  #isRefilling = false

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** Keeps so many spares from now on; resolves when they are there. */
  async keep(count: number): Promise<number> {
    const before = this.#wanted
    this.#wanted = count
    for (const spare of this.#ready.splice(count)) spare.end()
    await this.#refill()
    return before
  }

  /** A spare for a worker, or null when there is none. */
  take(ear: Ear, adoption: Adoption): Link | null {
    for (;;) {
      const spare = this.#ready[0]
      if (spare === undefined) return null
      // It leaves the shelf only when it was adopted or has ended: an adoption may throw.
      const adopted = spare.link.adopt(ear, adoption)
      this.#ready.shift()
      this.#refillSoon()
      if (adopted) return spare.link
    }
  }

  /** Nobody waits for this: what the system refuses now, the next adoption tries again. */
  #refillSoon(): void {
    if (this.#isRefilling) return
    this.#isRefilling = true
    after(refillDelayMs, () => {
      this.#isRefilling = false
      this.#refill().catch(() => {})
    })
  }

  async #refill(): Promise<void> {
    while (this.#ready.length + this.#booting.size < this.#wanted) {
      const spare = new Spare(this.#options, () => this.#forget(spare))
      this.#booting.set(
        spare,
        spare.booted.promise.then(() => this.#shelve(spare)),
      )
    }
    await Promise.all(this.#booting.values())
  }

  #shelve(spare: Spare): void {
    this.#booting.delete(spare)
    if (this.#ready.length < this.#wanted) this.#ready.push(spare)
    else spare.end()
  }

  #forget(spare: Spare): void {
    this.#booting.delete(spare)
    const place = this.#ready.indexOf(spare)
    if (place >= 0) this.#ready.splice(place, 1)
  }
}

/** One thread on a shelf. */
class Spare implements Ear {
  readonly link: Link
  readonly booted = new Pending<void>('a spare thread')
  readonly #gone: () => void
  #error: Error | null = null

  constructor(options: ThreadOptions, gone: () => void) {
    this.#gone = gone
    try {
      this.link = new Link(this, { name: spareName, options, adoption: null })
    } catch (error) {
      this.booted.resolve()
      throw error
    }
  }

  end(): void {
    void this.link.thread.terminate()
  }

  hear(message: ToOwner): void {
    if (message.type === 'booted') this.booted.resolve()
  }

  failed(error: Error): void {
    this.#error = error
  }

  exited(): void {
    this.#gone()
    const text = 'A spare thread ended while it booted'
    this.booted.reject(new UserWorkerError('ERR_WORKER_INIT', text, { cause: this.#error }))
  }
}

const shelves = new Map<string, Shelf>()

/** The spares for workers with these options; undefined where none were ever kept. */
function shelfOf(options: ThreadOptions): Shelf | undefined {
  return shelves.get(keyOf(options))
}

/** Keeps `count` spares for workers with these options. @returns how many were kept before */
export function keepSpares(count: number, options: ThreadOptions): Promise<number> {
  const shelf = shelfOf(options) ?? new Shelf(options)
  shelves.set(keyOf(options), shelf)
  return shelf.keep(count)
}

/** A spare for a worker, or null when there is none that fits. */
export function takeSpare(ear: Ear, adoption: Adoption, options: ThreadOptions): Link | null {
  if (shelves.size === 0) return null
  return shelfOf(options)?.take(ear, adoption) ?? null
}

/** What cannot change once a thread runs, in words. Of the environment, Node reads NODE_OPTIONS. */
function keyOf({ env = process.env, execArgv, resourceLimits }: ThreadOptions): string {
  const shared = env === SHARE_ENV
  const nodeOptions = typeof env === 'symbol' ? null : (env['NODE_OPTIONS'] ?? null)
  const limits = Object.entries(resourceLimits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([shared, nodeOptions, execArgv ?? null, limits])
}
