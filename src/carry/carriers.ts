/**
 * Carriers: each takes one thing out of the thread that submits a work, and puts it in place around
 * the work's handler in the worker. The queue knows none of them by name.
 *
 * @module
 */
import { invalid } from '../errors.js'
import { openTelemetry } from './open-telemetry.js'
import type { Registered } from './registered.js'

/** What {@link carry} needs of an `AsyncLocalStorage`. */
export interface AsyncStore<Store> {
  getStore(): Store | undefined
  run<Result>(store: Store, fn: () => Result): Result
}

/** How the store of an `AsyncLocalStorage` is carried. */
export interface StoreOptions<Store, Sent = unknown> {
  /**
   * What is sent for a store; undefined: nothing. Default: the store itself, cloned like a message.
   */
  capture?: (store: Store) => Sent | undefined
  /** The store for what arrived. Default: what arrived. */
  restore?: (sent: Sent) => Store
  /**
   * Nobody changes a store once it is used. Then one that comes again and again is sent once and
   * referred to by number, and what arrives is frozen. Default false.
   */
  immutable?: boolean
}

/** How something is carried that is not an `AsyncLocalStorage`. */
export interface Carrier<Sent = unknown> {
  /** Called when a work is submitted: what is sent; undefined: nothing. */
  capture(): Sent | undefined
  /** Called in the worker: puts in place what arrived, calls `fn`, and returns what that returns. */
  run<Result>(sent: Sent, fn: () => Result): Result
  /** As in {@link StoreOptions}. */
  immutable?: boolean
}

interface Entry {
  readonly carrier: Registered
  /** The arguments of `carry`, by which the same thing is told from another one. */
  readonly thing: readonly unknown[]
  times: number
}

/** The carriers of a thread. */
interface Registry {
  readonly byName: Map<string, Entry>
  /** Replaced whenever it changes. */
  list: readonly Registered[]
}

/** One for the whole thread, whichever copy of this package asks. */
function ofThread(): Registry {
  const all = globalThis as unknown as Record<symbol, Registry | undefined>
  return (all[Symbol.for('userworker.carriers.1')] ??= { byName: new Map(), list: [] })
}

const registry = ofThread()

/**
 * Has something go along with each work that this thread submits to a queue, and be there when the
 * work's handler runs, through its awaits, timers and the works that it submits in its turn.
 *
 * Call it in a module that both sides import. In the worker that is the handlers' module, one that
 * it imports, or one named by the option `preload`.
 *
 * @param name - what it is called in every thread
 * @param store - an `AsyncLocalStorage`, or, for anything else, how it is captured and run in
 * @returns takes it back in this thread
 * @throws TypeError EINVAL: an argument is wrong, or something else is carried by this name
 */
export function carry<Store, Sent = Store>(
  name: string,
  store: AsyncStore<Store>,
  options?: StoreOptions<Store, Sent>,
): () => void
export function carry<Sent>(name: string, carrier: Carrier<Sent>): () => void
export function carry(
  name: string,
  what: AsyncStore<unknown> | Carrier,
  options?: StoreOptions<unknown>,
): () => void {
  if (typeof name !== 'string' || name === '') throw invalid('carry: the name must be a string')
  const carrier = registered(name, what, options)
  const { immutable } = carrier
  const thing = [what, options?.capture, options?.restore, immutable]
  let entry = registry.byName.get(name)
  if (entry === undefined) {
    entry = { carrier, thing, times: 0 }
    registry.byName.set(name, entry)
    listAgain()
  } else if (entry.thing.some((each, index) => each !== thing[index])) {
    throw invalid(`carry: another thing is carried as '${name}' in this thread already`)
  }
  entry.times++
  return takerOf(entry)
}

function takerOf(entry: Entry): () => void {
  let isTaken = false
  return () => {
    if (isTaken) return
    isTaken = true
    if (--entry.times > 0) return
    registry.byName.delete(entry.carrier.name)
    listAgain()
  }
}

function listAgain(): void {
  registry.list = [...registry.byName.values()].map(({ carrier }) => carrier)
}

function registered(
  name: string,
  what: AsyncStore<unknown> | Carrier,
  options: StoreOptions<unknown> | undefined,
): Registered {
  const given = (what ?? {}) as Partial<AsyncStore<unknown> & Carrier>
  const isStore = typeof given.getStore === 'function'
  if (typeof given.run !== 'function' || (!isStore && typeof given.capture !== 'function')) {
    throw invalid(
      `carry: '${name}' must be an AsyncLocalStorage, or an object with capture() and run()`,
    )
  }
  if (isStore) return ofStore(name, what as AsyncStore<unknown>, checked(name, options ?? {}))
  if (options !== undefined) throw invalid(`carry: '${name}' has its options in the carrier itself`)
  const carrier = what as Carrier
  return {
    name,
    immutable: checkImmutable(name, carrier.immutable),
    isStore: false,
    look: () => carrier.capture(),
    pack: itself,
    unpack: itself,
    run: (sent, fn) => runChecked(name, carrier, sent, fn),
  }
}

/** A work must not count as done because its handler was never called. */
function runChecked<Result>(
  name: string,
  carrier: Carrier,
  sent: unknown,
  fn: () => Result,
): Result {
  let isCalled = false
  const result = carrier.run(sent, () => {
    isCalled = true
    return fn()
  })
  // It may call it later, when something that it waits for is there.
  if (isCalled || typeof (result as { then?: unknown } | null)?.then === 'function') return result
  throw invalid(`The carrier '${name}' did not call the function that it was to run`)
}

function ofStore(
  name: string,
  store: AsyncStore<unknown>,
  { capture, restore, immutable }: StoreOptions<unknown>,
): Registered {
  return {
    name,
    immutable: immutable === true,
    isStore: true,
    look: () => store.getStore(),
    pack: capture ?? itself,
    unpack: restore ?? itself,
    run: (unpacked, fn) => store.run(unpacked, fn),
  }
}

const itself = (value: unknown): unknown => value

function checked(name: string, options: StoreOptions<unknown>): StoreOptions<unknown> {
  const known = ['capture', 'restore', 'immutable']
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  if (unknown !== undefined) {
    throw invalid(`carry: there is no option '${unknown}'. There is: ${known.join(', ')}`)
  }
  for (const option of ['capture', 'restore'] as const) {
    if (!['undefined', 'function'].includes(typeof options[option])) {
      throw invalid(`carry: '${option}' of '${name}' must be a function`)
    }
  }
  checkImmutable(name, options.immutable)
  return options
}

function checkImmutable(name: string, immutable: unknown): boolean {
  if (immutable === undefined || typeof immutable === 'boolean') return immutable === true
  throw invalid(`carry: 'immutable' of '${name}' must be true or false`)
}

/** The carriers that have a say when a work is submitted here, in the order of their registration. */
export function carriersHere(): readonly Registered[] {
  const { list } = registry
  if (!openTelemetry.isHere()) return list
  if (list !== extended.from) {
    const isReplaced = registry.byName.has(openTelemetry.name)
    extended = { from: list, list: isReplaced ? list : [...list, openTelemetry] }
  }
  return extended.list
}

/** The list of the registry with OpenTelemetry's carrier behind it, until the registry changes. */
let extended: {
  readonly from: readonly Registered[] | null
  readonly list: readonly Registered[]
} = { from: null, list: [] }

/** The carrier of that name, in the worker. */
export function carrierOf(name: string): Registered | undefined {
  const own = registry.byName.get(name)?.carrier
  return own ?? (name === openTelemetry.name ? openTelemetry : undefined)
}

/** Changes with every change of the carriers here. */
export function carriersVersion(): unknown {
  return registry.list
}
