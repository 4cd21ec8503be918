/**
 * OpenTelemetry's context: the active span and the baggage, as its own propagator writes them for
 * another process.
 *
 * Nothing is imported: the API keeps what a program has registered under a symbol of the global
 * object, for the sake of programs with several copies of it. Where no propagator or no context
 * manager is registered, nothing is carried; where only the worker has none, nothing is restored.
 *
 * @module
 */
import type { Registered } from './registered.js'

type Headers = Record<string, string>

interface Setter {
  readonly set: (headers: Headers, name: string, value: string) => void
}

interface Getter {
  readonly get: (headers: Headers, name: string) => string | undefined
  readonly keys: (headers: Headers) => string[]
}

/** What the API keeps, as far as it is needed here. */
interface Api {
  readonly context?: {
    active(): object
    with<Result>(context: object, fn: () => Result): Result
  }
  readonly propagation?: {
    inject(context: object, headers: Headers, setter: Setter): void
    extract(context: object, headers: Headers, getter: Getter): object
  }
}

const key = Symbol.for('opentelemetry.js.api.1')
const all = globalThis as unknown as Record<symbol, Api | undefined>

const setter: Setter = {
  set: (headers, name, value) => {
    headers[name] = value
  },
}

const getter: Getter = {
  get: (headers, name) => headers[name],
  keys: (headers) => Object.keys(headers),
}

/** A context of theirs never changes: its headers are made once. */
export const openTelemetry: Registered & { isHere(): boolean } = {
  name: 'opentelemetry',
  immutable: true,
  // A context manager may be anything.
  isStore: false,
  isHere: () => all[key] !== undefined,
  look: () => {
    const { context, propagation } = all[key] ?? {}
    return propagation === undefined ? undefined : context?.active()
  },
  pack: (context) => {
    const headers: Headers = {}
    all[key]?.propagation?.inject(context as object, headers, setter)
    return Object.keys(headers).length === 0 ? undefined : headers
  },
  unpack: (headers) => headers,
  run: (headers, fn) => {
    const { context, propagation } = all[key] ?? {}
    if (context === undefined || propagation === undefined) return fn()
    const extracted = propagation.extract(context.active(), headers as Headers, getter)
    return context.with(extracted, fn)
  },
}
