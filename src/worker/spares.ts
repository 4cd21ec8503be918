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
import * as memory from '#memory'
import { after, deadline, type Timer } from '../os/clock.js'
import { SHARE_ENV } from '../os/thread.js'
import { Pending } from '../os/pending.js'
import { UserWorkerError } from '../errors.js'
import { controlOf } from './control.js'
import { verdict } from './exit.js'
import { Link, type Adoption, type Ear } from './link.js'
import { defaultLoadDeadlineMs, type ThreadOptions } from './options.js'
import { spareName, type ToOwner } from './protocol.js'
import { Scope, type Member } from './scope.js'
import { at, Field } from './table.js'

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
    for (const spare of [...this.#booting.keys()].slice(count - this.#ready.length)) {
      this.#booting.delete(spare)
      spare.end()
    }
    await this.#refill()
    return before
  }

  /**
   * A spare for a worker, or null when there is none.
   *
   * @throws what `adoptionOf` or `Link.adopt` throws; then the spare stays one
   */
  take(ear: Ear, adoptionOf: () => Adoption, scope: Scope): Link | null {
    if (this.#ready.length === 0) return null
    const adoption = adoptionOf()
    for (;;) {
      // Off the shelf first: an adoption clones data, and with it may run code that takes a spare.
      const spare = this.#ready.shift()
      if (spare === undefined) return null
      let adopted: boolean
      try {
        adopted = spare.link.adopt(ear, adoption, scope)
      } catch (error) {
        this.#place(spare)
        throw error
      }
      this.#refillSoon()
      if (!adopted) continue
      spare.adopted()
      return spare.link
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
      const shelved = spare.booted.promise.then(() => this.#shelve(spare))
      // Nobody waits for it when the system refuses the next one: then it may fail unheard.
      shelved.catch(() => {})
      this.#booting.set(spare, shelved)
    }
    await Promise.all(this.#booting.values())
  }

  #shelve(spare: Spare): void {
    // Unless it was ended meanwhile.
    if (this.#booting.delete(spare)) this.#place(spare)
  }

  #place(spare: Spare): void {
    if (this.#ready.length < this.#wanted) this.#ready.push(spare)
    else spare.end()
  }

  #forget(spare: Spare): void {
    this.#booting.delete(spare)
    const place = this.#ready.indexOf(spare)
    if (place >= 0) this.#ready.splice(place, 1)
  }
}

/** One thread on a shelf. `booted` is settled by its message, its end, or the deadline. */
class Spare implements Ear, Member {
  readonly endsOthers = false
  readonly link: Link
  readonly booted = new Pending<void>('a spare thread')
  readonly #gone: () => void
  readonly #limit: Timer
  readonly #scope = Scope.current()
  readonly #ended: (() => void)[] = []
  #error: Error | null = null

  constructor(options: ThreadOptions, gone: () => void) {
    this.#gone = gone
    try {
      const identity = { name: spareName, scope: this.#scope, adoption: null }
      this.link = new Link(this, { options, ...identity })
    } catch (error) {
      this.booted.resolve()
      throw error
    }
    this.#limit = deadline(defaultLoadDeadlineMs, () => this.#giveUp())
    this.#scope.enter(this)
  }

  /** It is a worker from here on. */
  adopted(): void {
    this.#scope.remove(this)
  }

  /** It is not wanted any more. */
  end(): void {
    this.#limit.cancel()
    this.booted.resolve()
    void this.link.thread.terminate()
  }

  /** Its owner ends, and it with it: nobody is to take it any more. */
  finish(): Promise<void> {
    this.killed()
    return new Promise((resolve) => this.#ended.push(resolve))
  }

  killed(): void {
    this.#gone()
    this.end()
  }

  nameOf(row: number): string | undefined {
    return row === this.link.row ? spareName : undefined
  }

  /** It runs nothing that could look. */
  look(): void {}

  changed(): void {}

  yieldWorker(): boolean {
    return false
  }

  hear(message: ToOwner): void {
    if (message.type !== 'booted') return
    this.#limit.cancel()
    this.booted.resolve()
  }

  failed(error: Error): void {
    this.#error = error
  }

  exited(nodeCode: number): void {
    this.#gone()
    this.#limit.cancel()
    const { words, row } = this.link
    const exitCode = memory.load(words, at(row, Field.EXIT_CODE))
    const facts = { name: 'spare', control: controlOf(words, row), exitCode, nodeCode }
    const ways = {
      killed: false,
      ownerKilled: null,
      told: null,
      uncaught: null,
      left: null,
      ended: this.#error,
    }
    const text = 'A spare thread ended while it booted'
    const { error } = verdict({ ...facts, ...ways })
    this.booted.reject(error ?? new UserWorkerError('ERR_WORKER_DIED', text))
    // Its row is freed right after this.
    queueMicrotask(() => this.#scope.leave(this))
    for (const ended of this.#ended) ended()
  }

  /** What the options load into each thread (`--import`) does not come to an end. */
  #giveUp(): void {
    this.#gone()
    const text = `A spare thread has not booted within ${defaultLoadDeadlineMs} ms`
    this.booted.reject(new UserWorkerError('ERR_MODULE_LOAD_TIMEOUT', text))
    this.end()
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
export function takeSpare(
  ear: Ear,
  adoptionOf: () => Adoption,
  options: ThreadOptions,
  scope: Scope,
): Link | null {
  if (shelves.size === 0) return null
  return shelfOf(options)?.take(ear, adoptionOf, scope) ?? null
}

/** What Node reads of the environment only while a thread boots (measured); empty is not set. */
const readAtBoot = ['NODE_OPTIONS', 'NODE_PATH', 'NODE_DEBUG']

/** What cannot change once a thread runs, in words. */
function keyOf(options: ThreadOptions): string {
  const { env = process.env, execArgv, resourceLimits, entry, stdout, stderr } = options
  const shared = env === SHARE_ENV
  const bootEnv = readAtBoot.map((name) => (shared ? process.env : env)[name] || null)
  const limits = Object.entries(resourceLimits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([shared, bootEnv, execArgv ?? null, limits, entry ?? null, stdout, stderr])
}
