/**
 * Where a queue's works are, and who settles them.
 *
 * A pending work waits in one place: for other works (`dependents.ts`), behind its key (`keys.ts`), for
 * room in the rings, or in them (`lane.ts`). A running one is in a slot that names its worker.
 *
 * Who settles a work: its worker's completion; else the end of its worker's thread; while pending, a
 * cancel, its signal, `close`, or the account when no worker can be made.
 *
 * @module
 */
import { Contexts, type Found } from '../carry/index.js'
import { UserWorkerError } from '../errors.js'
import { microseconds } from '../os/clock.js'
import { hold } from '../os/pending.js'
import { allocateOwner, levels } from '../ring/index.js'
import type { Scope } from '../worker/index.js'
import { Account, type Common } from './account.js'
import { Admission } from './admission.js'
import { Cancellation, type CancelReport } from './cancel.js'
import { arePrimitive, capture, notSent, valuesOf } from './capture.js'
import { closableOf } from './closable.js'
import type { Closable } from './close.js'
import { Deadlines } from './deadlines.js'
import { checkAfter, Dependents, listOf } from './dependents.js'
import { extrasOf, hear, whenSettled } from './extras.js'
import { isKey, KeyLines, linesOf } from './keys.js'
import { Names } from './names.js'
import { limitsOf, type CheckedQueue, type WorkOptions } from './options.js'
import { Owned } from './owned.js'
import type { Definition } from './protocol.js'
import { refusalToCarry } from './process/index.js'
import { Pulse } from './pulse.js'
import { serverName } from './server-name.js'
import type { Server } from './server.js'
import { SharedBuffers } from './numbered-buffers.js'
import { Signals } from './signals.js'
import { trace } from './trace.js'
import { QueuedWork, type Extras, type Work } from './work.js'

/** A queue, by its name. */
interface Named {
  readonly name: string
}

/** A queue's two classes. */
export interface Accounts {
  readonly bounded: Account
  readonly unbounded: Account
}

const normal = levels.indexOf('normal')
const nothing: readonly never[] = []

export class Dispatch {
  readonly accounts: Accounts
  /** Whose its workers are. */
  readonly scope: Scope
  readonly counts = { submitted: 0, done: 0, failed: 0, canceled: 0 }
  readonly #queue: Named
  readonly #options: CheckedQueue
  readonly #owner = allocateOwner()
  readonly #pulse: Pulse
  readonly #shared: SharedBuffers
  readonly #names: Names
  readonly #contexts: Contexts
  readonly #keys: KeyLines
  readonly #signals = new Signals((works, reason) => this.#cancellation.abortAll(works, reason))
  readonly #deadlines = new Deadlines({
    accountOf: (work) => this.#accountOf(work),
    expired: (work, error) => this.#cancellation.fail(work, error),
  })
  readonly #dependents = new Dependents({
    released: (work) => this.#send(work),
    canceled: (work) => this.#settled(work),
  })
  readonly #cancellation: Cancellation
  readonly #common: Common
  /** What works have whose handlers may tell something, by the numbers of the works. */
  readonly #listening = new Map<number, Extras>()
  #unsettled = 0
  #release: (() => boolean) | null = null
  #lastWork = 0
  #lastServer = 0
  #onChange: (() => void) | null = null
  /** Whether works are taken. */
  readonly admission: Admission
  readonly #owned: Owned

  constructor(queue: Named & { close(): Promise<unknown> }, options: CheckedQueue) {
    this.#queue = queue
    this.#options = options
    this.#keys = options.keySpace === null ? new KeyLines() : linesOf(options.keySpace)
    this.#names = new Names((definition) => this.#tellAll(definition))
    this.#shared = new SharedBuffers({
      shared: (number, buffer) => this.#tellAll({ type: 'share', number, buffer }),
      dropped: (number) => this.#tellAll({ type: 'unshare', number }),
    })
    this.#contexts = new Contexts({
      defined: (number, items) => this.#tellAll({ type: 'context', number, items }),
      dropped: (number) => this.#tellAll({ type: 'context', number, items: null }),
    })
    this.#pulse = new Pulse(
      this.#owner,
      options.plan.spins,
      () => this.#reap(),
      () => this.accounts.bounded.isOut || this.accounts.unbounded.isOut,
    )
    this.scope = options.scope
    this.#common = {
      scope: options.scope,
      populated: () => this.#owned.enter(),
      plan: options.plan,
      owner: this.#owner,
      shared: this.#shared,
      nameOf: (handler) => this.#names.nameOf(handler),
      cancel: (work) => (work.settled ? 'not-found' : this.#cancellation.cancelAll([work]).outcome),
      nextName: () => serverName(queue.name, ++this.#lastServer),
      definitions: () => this.#definitions(),
    }
    const [bounded, unbounded] = [this.#account('bounded'), this.#account('unbounded')]
    this.accounts = { bounded, unbounded }
    this.admission = new Admission(queue.name, options, this)
    this.#owned = new Owned(options.scope, {
      kill: (error) => this.#kill(error, () => queue.close()),
      close: () => queue.close(),
      changed: () => this.#ownerChanged(),
      yieldWorker: (forOneWithNone) =>
        unbounded.growth.yieldServer(forOneWithNone) || bounded.growth.yieldServer(forOneWithNone),
    })
    this.#cancellation = new Cancellation({
      accounts: this.accounts,
      keys: this.#keys,
      dependents: this.#dependents,
      deadlines: this.#deadlines,
      accountOf: (work) => this.#accountOf(work),
      settled: (work) => this.#settled(work),
      changed: () => this.#onChange?.(),
    })
  }

  /** Works that are not settled. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** What there is to carry for a work now; null: nothing. */
  look(): Found | null {
    return this.#contexts.look()
  }

  /** Submits a work whose arguments were checked. */
  submit(
    handler: string | ((...args: never[]) => unknown),
    args: readonly unknown[],
    options: WorkOptions | undefined,
    found: Found | null = this.#contexts.look(),
    onItem: Extras['onItem'] = null,
  ): QueuedWork {
    if (options?.after !== undefined) {
      checkAfter(options.after, (work) => this.#accountOf(work).lane === work.lane)
    }
    const number =
      typeof handler === 'string'
        ? this.#names.numberOf(handler)
        : this.#names.numberOfFunction(handler)
    const key = options?.key
    const work = new QueuedWork(
      (options?.unbounded === true ? this.accounts.unbounded : this.accounts.bounded).lane,
      ++this.#lastWork,
      key,
      options?.priority === undefined ? normal : levels.indexOf(options.priority),
      number,
      options?.signal ?? null,
      microseconds(),
    )
    if (options !== undefined || onItem !== null) work.extras = extrasOf(options ?? {}, onItem)
    this.counts.submitted++
    let refusal = this.admission.refusal(work) ?? this.#uncarried(work, options)
    if (refusal === null) {
      if (found !== null) {
        if (found.failure !== null) return this.#failed(work, found.failure.error)
        work.carried = this.#contexts.carriedOf(found)
      }
      const values = valuesOf(args, key, work.carried)
      const transfer = options?.transfer ?? nothing
      if (transfer.length === 0 && arePrimitive(values)) work.values = values
      else {
        try {
          capture(work, values, transfer, this.#shared)
        } catch (error) {
          return this.#failed(work, notSent(work, error))
        }
        // Again: reading the arguments may have run code of the caller's.
        refusal = this.admission.refusal(work)
      }
      refusal ??= this.#uncarried(work, options)
    }
    if (refusal !== null) {
      this.admission.refuse(work, refusal)
      return work
    }
    this.#take(work, options)
    return work
  }

  #failed(work: QueuedWork, error: unknown): QueuedWork {
    this.counts.failed++
    work.reject(error)
    return work
  }

  cancelOldest(): boolean {
    return this.#cancellation.cancelOldest()
  }

  cancelMatching(match: Work | ((work: Work) => boolean), all: boolean): CancelReport {
    return this.#cancellation.cancelMatching(match, all)
  }

  async flush(only: { readonly key: unknown } | null): Promise<void> {
    const all = this.#cancellation.unsettled()
    const works = only === null ? all : all.filter(({ key }) => isKey(key, only.key))
    await whenSettled(works, `flush of '${this.#queue.name}'`)
  }

  /** The caller has taken so many items of a stream. */
  credit(work: QueuedWork, count: number): void {
    this.#accountOf(work).serverOf(work)?.tell({ type: 'credit', id: work.id, count })
  }

  /** There may be room for workers; they are frozen, or not any more. */
  #ownerChanged(): void {
    if (this.scope.isFrozen) this.#deadlines.pause()
    else this.#deadlines.resume()
    this.accounts.bounded.growth.changed()
    this.accounts.unbounded.growth.changed()
  }

  /** An owner was killed: everything rejects, and the threads are ended. */
  #kill(error: UserWorkerError, close: () => Promise<unknown>): void {
    this.admission.end(error)
    this.accounts.bounded.endGrowth(error)
    this.accounts.unbounded.endGrowth(error)
    this.#cancellation.dropAll(this.#cancellation.unsettled(), () => error)
    for (const server of this.#servers()) server.kill(error)
    void close()
  }

  /** What closing needs to know and to do. */
  closable(name: string, deadlineMs: number): Closable {
    return closableOf(name, deadlineMs, {
      accounts: this.accounts,
      begin: () => this.#beginClose(),
      isDrained: () => this.#isDrained(),
      until: (condition) => this.#until(condition),
      cancelPending: (reason) =>
        void this.#cancellation.dropAll(this.#cancellation.unsettled(), () => reason),
    })
  }

  /** None of its workers is left, and none will be made. */
  closed(): void {
    this.#owned.leave()
  }

  #account(kind: 'bounded' | 'unbounded'): Account {
    return new Account(kind, limitsOf(this.#options, kind), this.#common, {
      settled: (work) => this.#settled(work),
      left: (work) => {
        this.#deadlines.left(work)
        this.#keys.leave(work)
      },
      entered: (work) => {
        if (work.link !== null) this.#keys.pull(work.link.line)
      },
      published: () => this.#pulse.submitted(),
      told: (id, about, value) => {
        const extras = this.#listening.get(id)
        if (extras !== undefined) hear(extras, about, value)
      },
      unreadable: (work, what, why) => this.#cancellation.unreadable(work, what, why),
      look: () => {
        this.#pulse.look()
        this.accounts.bounded.wakeForReady()
        this.accounts.unbounded.wakeForReady()
      },
      changed: () => this.#onChange?.(),
    })
  }

  *#definitions(): Iterable<Definition> {
    yield* this.#names.definitions
    for (const [number, buffer] of this.#shared.all()) yield { type: 'share', number, buffer }
    for (const [number, items] of this.#contexts.all()) yield { type: 'context', number, items }
  }

  #tellAll(definition: Definition): void {
    this.accounts.bounded.tellAll(definition)
    this.accounts.unbounded.tellAll(definition)
  }

  #reap(): boolean {
    const bounded = this.accounts.bounded.reap()
    return this.accounts.unbounded.reap() || bounded
  }

  /** Why a child process cannot have the work, or null. */
  #uncarried(work: QueuedWork, options: WorkOptions | undefined): Error | null {
    if (this.#options.plan.child === null) return null
    return refusalToCarry(work, options?.transfer ?? nothing)
  }

  #take(work: QueuedWork, options: WorkOptions | undefined): void {
    this.#unsettled++
    // It may wait for a thaw or for room, and whoever ends the owner settles it.
    this.#owned.enter()
    this.#release ??= hold(() => `${this.#unsettled} works of '${this.#queue.name}'`)
    if (work.signal !== null) this.#signals.watch(work)
    trace('queue', { queue: this.#queue, work })
    const { extras } = work
    if (extras !== null) {
      const { onItem, onProgress, timeoutMs, concurrent } = extras
      if (!concurrent) this.#accountOf(work).patient++
      if (onItem !== null || onProgress !== null) this.#listening.set(work.id, extras)
      if (timeoutMs > 0) this.#deadlines.watch(work, timeoutMs)
      const after = options?.after
      if (after !== undefined && this.#dependents.hold(work, listOf(after))) {
        work.lane.keep(work)
        return
      }
    }
    this.#send(work)
  }

  /** Sends a work on its way to a worker. */
  #send(work: QueuedWork): void {
    if (work.settled) return
    if (work.key === undefined) work.lane.admit(work)
    else this.#keys.enter(work)
  }

  #accountOf(work: QueuedWork): Account {
    return work.unbounded ? this.accounts.unbounded : this.accounts.bounded
  }

  *#servers(): Iterable<Server> {
    yield* this.accounts.bounded.servers
    yield* this.accounts.unbounded.servers
  }

  #settled(work: QueuedWork): void {
    this.counts[work.outcome as 'done' | 'failed' | 'canceled']++
    if (work.signal !== null) this.#signals.forget(work)
    if (work.extras !== null) this.#settleExtras(work, work.extras)
    this.#unsettled--
    this.admission.room.settled(this.#unsettled)
    if (this.#unsettled > 0) return
    this.#release?.()
    this.#release = null
  }

  #settleExtras(work: QueuedWork, extras: Extras): void {
    const { onSettled, timeoutMs, concurrent, hasDependents } = extras
    if (hasDependents) this.#dependents.settled(work)
    if (timeoutMs > 0) this.#deadlines.forget(work)
    if (!concurrent) this.#accountOf(work).patient--
    this.#listening.delete(work.id)
    for (const listener of onSettled) listener()
  }

  #beginClose(): void {
    this.admission.close()
    this.scope.letGo()
    const reason = new UserWorkerError('ECANCELED', `The queue '${this.#queue.name}' was closed`)
    this.accounts.bounded.endGrowth(reason)
    this.accounts.unbounded.endGrowth(reason)
    this.#cancellation.cancelAll(this.#cancellation.unsettled().filter((work) => work.unbounded))
  }

  /** Whether no work waits for a worker, a key, or other works. */
  #isDrained(): boolean {
    const { bounded, unbounded } = this.accounts
    const isDrained = bounded.isDrained && unbounded.isDrained && this.#dependents.size === 0
    return isDrained && bounded.held + unbounded.held === 0
  }

  /** Resolves once it holds. Waker: `#onChange`, whenever a work has ended or a server is gone. */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => {
        if (condition()) resolve()
      }
      this.#onChange()
    })
  }
}
