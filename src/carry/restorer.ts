/**
 * What is carried, in the worker: the contexts by number, and how a handler is run in them.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { outside, scopeHere } from './scopes.js'
import { carrierOf, carriersVersion } from './carriers.js'
import type { Registered } from './registered.js'

/** One thing to be put in place around a handler. */
export interface Step {
  readonly carrier: Pick<Registered, 'run' | 'isStore'>
  readonly unpacked: unknown
}

const none: readonly Step[] = []

/** A context that the owner has told of. */
class Known {
  steps = none
  /** The carriers that the steps were made with. */
  version: unknown = null

  constructor(readonly items: readonly unknown[]) {}
}

export class Restorer {
  readonly #contexts = new Map<number, Known>()
  readonly #missed = new Set<string>()
  readonly #await: (isThere: () => boolean) => void
  readonly #unknown: (name: string) => void
  readonly #find: (name: string) => Registered | undefined

  /**
   * @param hear - hears messages, now, until something is there
   * @param unknown - is told, once for each name, of a carrier that this thread does not know
   * @param find - the carrier of a name. Default: the one registered here
   */
  constructor(
    hear: (isThere: () => boolean) => void,
    unknown: (name: string) => void,
    find: (name: string) => Registered | undefined = carrierOf,
  ) {
    this.#await = hear
    this.#unknown = unknown
    this.#find = find
  }

  define(number: number, items: readonly unknown[]): void {
    this.#contexts.set(number, new Known(items))
  }

  drop(number: number): void {
    this.#contexts.delete(number)
  }

  /**
   * What is to be put in place for a work.
   *
   * @param number - of its context; 0: none
   * @param values - what came along with its arguments
   * @throws what a carrier's `restore` throws
   */
  stepsOf(number: number, values: readonly unknown[]): readonly Step[] {
    const numbered = number === 0 ? none : this.#numbered(number)
    if (values.length === 0) return numbered
    const own = this.#unpack(values)
    return numbered.length === 0 ? own : [...numbered, ...own]
  }

  #numbered(number: number): readonly Step[] {
    if (!this.#contexts.has(number)) this.#await(() => this.#contexts.has(number))
    const known = this.#contexts.get(number)
    // The owner tells of a context before the first work that refers to it.
    if (known === undefined) throw contextUnreadable()
    const version = carriersVersion()
    if (known.version !== version) {
      known.steps = joined(this.#unpack(known.items))
      known.version = version
    }
    return known.steps
  }

  #unpack(items: readonly unknown[]): Step[] {
    const steps: Step[] = []
    for (let index = 0; index < items.length; index += 2) {
      const name = items[index] as string
      const carrier = this.#find(name)
      if (carrier === undefined) this.#miss(name)
      else {
        const sent = items[index + 1]
        if (carrier.immutable) freeze(sent)
        steps.push({ carrier, unpacked: carrier.unpack(sent) })
      }
    }
    return steps
  }

  #miss(name: string): void {
    if (this.#missed.has(name)) return
    this.#missed.add(name)
    this.#unknown(name)
  }
}

function contextUnreadable(): UserWorkerError {
  const text =
    'What a work carries cannot be read by its thread: it is nested too deep for its stack'
  return new UserWorkerError('ERR_NOT_CLONEABLE', text)
}

/** Calls a function inside of all that is carried. */
export function runWithin<Result>(steps: readonly Step[], fn: () => Result): Result {
  let call = fn
  for (let index = steps.length - 1; index > 0; index--) {
    const { carrier, unpacked } = steps[index] as Step
    const inner = call
    call = () => carrier.run(unpacked, inner)
  }
  const first = steps[0]
  return first === undefined ? call() : first.carrier.run(first.unpacked, call)
}

/** The same as one step, where that costs less. */
function joined(steps: readonly Step[]): readonly Step[] {
  if (steps.length === 0 || !steps.every(({ carrier }) => carrier.isStore)) return steps
  const scope = outside(() => runWithin(steps, scopeHere))
  if (scope === null) return steps
  return [{ carrier: { isStore: true, run: (_, fn) => scope(fn) }, unpacked: null }]
}

/** What is one for many works must not be changed by one of them. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype) return
  Object.freeze(value)
  for (const each of Object.values(value)) freeze(each)
}
