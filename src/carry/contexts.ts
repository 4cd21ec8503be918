/**
 * What is carried, on the side of those who submit: captured with each work, and sent along with its
 * arguments, or, where the same comes again and again, once to all workers and then by number.
 *
 * A value is known again if its carrier is `immutable`, or if it is primitive. It gets a number when
 * it was seen so often that telling all workers pays; so a store that each work has anew costs no
 * message. The values of one work that have numbers make up one context, with a number of its own,
 * which stands in the work's slot.
 *
 * | who knows of a context               | until                                                  |
 * | ------------------------------------ | ------------------------------------------------------ |
 * | a work that refers to it             | it is settled, and out of its slot                     |
 * | the contexts used last, at most 256  | others were used                                       |
 * | workers, also those that come later  | nobody of the above does: they are told to drop it     |
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { carriersHere } from './carriers.js'
import type { Registered } from './registered.js'

/** What a work carries. */
export interface Carried {
  /** Known to all workers as long as somebody refers to it. */
  readonly context: { readonly items: readonly unknown[] } | null
  /** The number of its context; 0: it has none. */
  readonly number: number
  /** What goes along with the arguments: a name and a value for each carrier. */
  readonly values: readonly unknown[]
}

/** What the carriers found, at one moment. */
export interface Found {
  readonly sights: readonly Sight[]
  /** What a carrier threw; null: none did. */
  readonly failure: { readonly error: unknown } | null
}

/** Who tells the workers. */
export interface ContextEvents {
  defined(number: number, values: readonly unknown[]): void
  dropped(number: number): void
}

/**
 * A value that goes along costs some 2 µs for each work, and a message some 5 for each worker. So this
 * often it may as well go along: most stores of requests never come so often.
 */
const numberedAfter = 8
/** So many requests at a time may have stores of their own, and all of them by number. */
const mostRecent = 256
/** Primitive values of a carrier that are counted; then the count begins anew. */
const mostCounted = 1024

const nothing: readonly unknown[] = []

/** A context with a number. */
class Context implements Carried {
  readonly values = nothing

  /** @returns itself: who refers to it keeps it known */
  get context(): this {
    return this
  }

  constructor(
    readonly number: number,
    /** Names and values in turns, as workers get them. */
    readonly items: readonly unknown[],
    readonly sights: readonly Sight[],
  ) {}
}

/** A value that was seen. */
export class Sight {
  count = 0

  constructor(
    /** 0: it is not known again. */
    readonly id: number,
    readonly name: string,
    readonly value: unknown,
  ) {}

  get isKnownAgain(): boolean {
    return this.id !== 0
  }
}

/** The values of one carrier. */
class Sights {
  readonly #objects = new WeakMap<object, Sight>()
  #primitives = new Map<unknown, Sight>()
  #last: unknown = this
  #lastSight: Sight | null = null

  constructor(
    readonly carrier: Registered,
    readonly nextId: () => number,
  ) {}

  /** @param pack - whether what is sent is to be made of what was found */
  of(found: unknown, pack: boolean): Sight {
    if (this.#lastSight !== null && Object.is(found, this.#last)) return this.#lastSight
    const isObject = typeof found === 'object' && found !== null
    const known = isObject ? this.#objects.get(found) : this.#primitives.get(found)
    const sight = known ?? this.#add(found, pack)
    this.#last = found
    this.#lastSight = sight
    return sight
  }

  #add(found: unknown, pack: boolean): Sight {
    const { name } = this.carrier
    const sight = new Sight(this.nextId(), name, pack ? this.carrier.pack(found) : found)
    if (typeof found === 'object' && found !== null) this.#objects.set(found, sight)
    else {
      if (this.#primitives.size >= mostCounted) this.#primitives = new Map()
      this.#primitives.set(found, sight)
    }
    return sight
  }
}

/** What the works of one queue carry. */
export class Contexts {
  readonly #events: ContextEvents
  readonly #sights = new Map<Registered, Sights>()
  #carriers: readonly Registered[] = []
  #lastSight = 0
  #lastNumber = 0
  /** The contexts used last, by the sights in them. */
  readonly #recent = new Map<number | string, Context>()
  #latest: Context | null = null
  readonly #all = new Map<number, WeakRef<Context>>()
  readonly #dropped = new FinalizationRegistry<number>((number) => {
    this.#all.delete(number)
    this.#events.dropped(number)
  })

  constructor(events: ContextEvents) {
    this.#events = events
  }

  /** What there is to carry now; null: nothing. */
  look(): Found | null {
    const carriers = carriersHere()
    return carriers.length === 0 ? null : this.#lookWith(carriers)
  }

  /** What a work carries of that. A value gets its number here. */
  carriedOf({ sights }: Found): Carried {
    const latest = this.#latest
    if (latest !== null && isMadeOf(latest, sights)) return latest
    let first: Sight | null = null
    let more: Sight[] | null = null
    let values: unknown[] | null = null
    for (const sight of sights) {
      if (sight.count < numberedAfter) {
        if (sight.isKnownAgain) sight.count++
        values = withSight(values, sight)
      } else if (first === null) first = sight
      else (more ??= [first]).push(sight)
    }
    const context = first === null ? null : this.#contextOf(first, more)
    if (context === null) {
      for (const sight of more ?? (first === null ? [] : [first])) values = withSight(values, sight)
    } else if (values === null) return context
    return { number: context === null ? 0 : context.number, values: values ?? nothing, context }
  }

  /** Every context that is known, for a worker that comes later. */
  *all(): Iterable<[number, readonly unknown[]]> {
    for (const [number, reference] of this.#all) {
      const context = reference.deref()
      if (context !== undefined) yield [number, context.items]
    }
  }

  #lookWith(carriers: readonly Registered[]): Found | null {
    if (carriers !== this.#carriers) this.#keepSightsOf(carriers)
    let sights: Sight[] | null = null
    try {
      for (const carrier of carriers) {
        const sight = this.#look(carrier)
        if (sight === null || sight.value === undefined) continue
        if (sights === null) sights = [sight]
        else sights.push(sight)
      }
    } catch (error) {
      return { sights: [], failure: { error } }
    }
    return sights === null ? null : { sights, failure: null }
  }

  /** What a carrier finds now. One that is not known again is new each time. */
  #look(carrier: Registered): Sight | null {
    const found = carrier.look()
    if (found === undefined) return null
    if (carrier.immutable) return this.#sightsOf(carrier).of(found, true)
    const sent = carrier.pack(found)
    if (isPrimitive(sent)) return this.#sightsOf(carrier).of(sent, false)
    return new Sight(0, carrier.name, sent)
  }

  #sightsOf(carrier: Registered): Sights {
    let sights = this.#sights.get(carrier)
    if (sights === undefined) {
      sights = new Sights(carrier, () => ++this.#lastSight)
      this.#sights.set(carrier, sights)
    }
    return sights
  }

  #keepSightsOf(carriers: readonly Registered[]): void {
    this.#carriers = carriers
    for (const known of this.#sights.keys()) {
      if (!carriers.includes(known)) this.#sights.delete(known)
    }
  }

  /** Null: it cannot be cloned, or not any more. */
  #contextOf(first: Sight, more: readonly Sight[] | null): Context | null {
    const key = more === null ? first.id : more.map(({ id }) => id).join()
    const known = this.#recent.get(key)
    if (known === undefined) return this.#define(key, more ?? [first])
    if (known !== this.#latest) {
      // To the end of the line.
      this.#recent.delete(key)
      this.#recent.set(key, known)
      this.#latest = known
    }
    return known
  }

  #define(key: number | string, sights: readonly Sight[]): Context | null {
    // A copy: so it can be sent again to a worker that comes later, whatever became of the values.
    let items: readonly unknown[]
    try {
      items = structuredClone(sights.flatMap(({ name, value }) => [name, value]))
    } catch {
      return null
    }
    const context = new Context(this.#freeNumber(), items, sights)
    this.#all.set(context.number, new WeakRef(context))
    this.#dropped.register(context, context.number)
    this.#events.defined(context.number, items)
    this.#recent.set(key, context)
    this.#latest = context
    if (this.#recent.size > mostRecent) {
      for (const oldest of this.#recent.keys()) {
        this.#recent.delete(oldest)
        break
      }
    }
    return context
  }

  /** A number of 32 bits that no context has. */
  #freeNumber(): number {
    do this.#lastNumber = (this.#lastNumber + 1) | 0
    while (this.#lastNumber === 0 || this.#all.has(this.#lastNumber))
    return this.#lastNumber
  }
}

/** All that there is to carry now, by value: names and values in turns. */
export function captureApart(): unknown[] {
  const values: unknown[] = []
  for (const { name, look, pack } of carriersHere()) {
    const found = look()
    const sent = found === undefined ? undefined : pack(found)
    if (sent !== undefined) values.push(name, sent)
  }
  return values
}

/**
 * The error for what a carrier captured and cannot be cloned; null: that is not what stood in the
 * way.
 */
export function notCarried(values: readonly unknown[], cause: unknown): UserWorkerError | null {
  for (let index = 0; index < values.length; index += 2) {
    try {
      structuredClone(values[index + 1])
    } catch (error) {
      const why = cause instanceof Error ? cause.message : String(error)
      const text = `What the carrier '${String(values[index])}' captured cannot be sent to a worker: ${why}`
      return new UserWorkerError('ERR_NOT_CLONEABLE', text, { cause })
    }
  }
  return null
}

function isMadeOf(context: Context, sights: readonly Sight[]): boolean {
  const own = context.sights
  if (own.length !== sights.length) return false
  for (let index = 0; index < own.length; index++) if (own[index] !== sights[index]) return false
  return true
}

function withSight(values: unknown[] | null, { name, value }: Sight): unknown[] {
  if (values === null) return [name, value]
  values.push(name, value)
  return values
}

function isPrimitive(value: unknown): boolean {
  const type = typeof value
  return value === null || (type !== 'object' && type !== 'function' && type !== 'symbol')
}
