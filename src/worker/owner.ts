/**
 * Owners: what workers and queues belong to, and are counted, limited, frozen and killed with.
 *
 * @module
 */
import { invalid, UserWorkerError } from '../errors.js'
import { deadline } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { checkInteger, checkName, checkNumber, checkOptions, checkTimeMs } from '../validate.js'
import { checkFreeze, type FreezeOptions, type FreezeReport } from './freeze.js'
import type { OwnerLimits } from './limits.js'
import { Scope } from './scope.js'
import type { OwnedWorker } from './seen.js'

/** How an owner is to be made. */
export interface OwnerOptions {
  /** What messages call it. Default: `owner`. */
  name?: string
  /** The owner that it belongs to. Default: {@link Owner.current}. */
  parent?: Owner
  /** Its limits. Default: none of its own. */
  limits?: OwnerLimits
}

/** The most rows there are: see `table.ts`. */
const mostWorkers = 4095
/** Less than this, V8 cannot even begin. */
const leastHeapMb = 4
const mostHeapMb = 2 ** 20

const scopes = new WeakMap<Owner, Scope>()
const owners = new WeakMap<Scope, Owner>()

/**
 * Somebody on whose behalf workers are made: a tenant, a request, a part of a program. What is below
 * it (workers, their own workers, queues, other owners) is counted against its limits, and frozen,
 * stopped and killed with it.
 *
 * @example
 * ```ts
 * const tenant = new Owner({ name: 'acme', limits: { workers: 4, heapMb: 128 } })
 * const queue = new WorkQueue(new URL('./works.js', import.meta.url), { owner: tenant })
 * await tenant.freeze()
 * tenant.thaw()
 * tenant.kill(new Error('unpaid'))
 * ```
 */
export class Owner {
  /** The name given at creation. */
  readonly name: string
  readonly #scope: Scope

  /**
   * @throws TypeError EINVAL: an option is wrong
   * @throws UserWorkerError ENOSYS, ERR_OWNER_KILLED: its parent has ended
   */
  constructor(options?: OwnerOptions)
  // What `current` makes has its scope already.
  constructor(options: OwnerOptions | Scope = {}) {
    this.#scope = options instanceof Scope ? options : scopeOfNew(options)
    this.name = this.#scope.name
    scopes.set(this, this.#scope)
    owners.set(this.#scope, this)
  }

  /** That of the calling thread: whatever the thread makes without naming an owner is its. */
  static current(): Owner {
    return ownerOf(Scope.current())
  }

  /** The owner that it belongs to; null for that of a thread. */
  get parent(): Owner | null {
    const { parent } = this.#scope
    return parent === null ? null : ownerOf(parent)
  }

  /**
   * Where it is in its life. `stopped`: it was told to stop. `frozen`: it or an owner above is.
   */
  get state(): 'running' | 'frozen' | 'stopped' | 'killed' {
    return this.#scope.state
  }

  /** Its own limits; those of the owners above hold as well. */
  get limits(): Required<OwnerLimits> {
    return this.#scope.limits
  }

  /**
   * Changes its limits, from now on: workers that are there stay.
   *
   * @param limits - what is left out stays as it is; Infinity takes a limit back
   * @returns the limits before
   * @throws TypeError EINVAL: a limit is wrong
   * @throws UserWorkerError ENOSYS, ERR_OWNER_KILLED: it has ended
   */
  setLimits(limits: OwnerLimits): Required<OwnerLimits> {
    checkLimits('setLimits', limits)
    this.#refuseEnded()
    const before = this.#scope.limits
    this.#scope.limits = limits
    return before
  }

  /** All workers below it, whichever thread made them, spares too, as they are now (UW-9). */
  workers(): OwnedWorker[] {
    return this.#scope.workers()
  }

  /**
   * Makes all workers below stand still, those that are made later too, until {@link thaw}. Works stay
   * in their queues, and nothing is lost; no `timeoutMs` of a work runs on (SG-10). A stop or a
   * kill gets through.
   *
   * @returns once all stand; by `deadlineMs` at the latest, and then it names those that do not: they
   * will as soon as they can
   * @throws TypeError EINVAL: an option is wrong
   * @throws UserWorkerError ENOSYS, ERR_OWNER_KILLED: it has ended
   */
  async freeze(options: FreezeOptions = {}): Promise<FreezeReport> {
    const checked = checkFreeze(options)
    this.#refuseEnded()
    return await this.#scope.freeze(checked)
  }

  /** Lets what is below go on. No effect where it is not frozen. */
  thaw(): void {
    if (!this.#scope.hasEnded) this.#scope.thaw()
  }

  /**
   * Ends all workers below, at once, and refuses new ones. Works of its queues reject with
   * ERR_OWNER_KILLED. A loop may clean up first, or linger: see `LoopOptions.onOwnerKill`. The first
   * reason counts. No effect once it has ended.
   *
   * @param reason - the `cause` of the errors
   */
  kill(reason: unknown = new Error('no reason was given')): void {
    this.#scope.kill(reason)
  }

  /**
   * Closes the queues below and stops the workers below, and waits for their end. Nothing is to be made
   * below it from the call on, and nothing can be from its end on. Called for the owner of a thread,
   * the thread has a new one from then on.
   *
   * @param options - `deadlineMs`: how long to wait, in milliseconds; without it, for ever
   * @throws UserWorkerError ETIME: there are workers left by `deadlineMs`; the message names them. The
   * request stands: `stop` can be called again
   * @throws UserWorkerError EDEADLK: called in a worker whose own end one of those below waits for
   */
  async stop(options: { deadlineMs?: number } = {}): Promise<void> {
    checkOptions('stop', options, ['deadlineMs'])
    const { deadlineMs } = options
    if (deadlineMs !== undefined) checkTimeMs('stop: deadlineMs', deadlineMs)
    const stopped = new Pending<void>(`stop of the owner '${this.name}'`)
    const limit =
      deadlineMs === undefined
        ? null
        : deadline(deadlineMs, () => stopped.reject(this.#late(deadlineMs)))
    this.#scope.finish().then(
      () => stopped.resolve(),
      (error: Error) => stopped.reject(error),
    )
    try {
      await stopped.promise
    } finally {
      limit?.cancel()
    }
  }

  /** {@link stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #late(deadlineMs: number): UserWorkerError {
    const left = this.workers().map(({ name }) => `'${name}'`)
    const text = `The owner '${this.name}' has not stopped within ${deadlineMs} ms: there is ${left.join(', ')}`
    return new UserWorkerError('ETIME', text)
  }

  #refuseEnded(): void {
    const { refusal } = this.#scope
    if (refusal !== null) throw refusal
  }
}

/** The owner that users see of a scope. */
export function ownerOf(scope: Scope): Owner {
  const OfScope = Owner as unknown as new (scope: Scope) => Owner
  return owners.get(scope) ?? new OfScope(scope)
}

function scopeOfNew(options: OwnerOptions): Scope {
  checkOptions('Owner', options, ['name', 'parent', 'limits'])
  const { name = 'owner', parent, limits = {} } = options
  checkName('Owner: name', name)
  checkLimits('Owner: limits', limits)
  const above = scopeOf('Owner: parent', parent)
  if (above.refusal !== null) throw above.refusal
  return new Scope(name, above, limits)
}

/**
 * The scope of an owner that was passed in; that of the thread where none was.
 *
 * @throws TypeError EINVAL: it is no owner
 */
export function scopeOf(what: string, owner: unknown): Scope {
  if (owner === undefined) return Scope.current()
  const scope = owner instanceof Owner ? scopes.get(owner) : undefined
  if (scope === undefined) throw invalid(`${what} must be made by new Owner(), in this thread`)
  return scope
}

function checkLimits(of: string, limits: OwnerLimits): void {
  checkOptions(of, limits, ['workers', 'heapMb'])
  const { workers = Infinity, heapMb = Infinity } = limits
  if (workers !== Infinity) checkInteger(`${of}.workers`, workers, 1, mostWorkers)
  if (heapMb !== Infinity) checkNumber(`${of}.heapMb`, heapMb, leastHeapMb, mostHeapMb)
}
