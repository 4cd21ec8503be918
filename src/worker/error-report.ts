/**
 * How an error crosses from one thread to another: class, name, message, code, own properties,
 * cause, errors and stack stay, which is more than structured cloning keeps.
 *
 * @module
 */
import { UserWorkerError, type ErrorCode } from '../errors.js'
import { builtin } from '../os/builtin.js'

const { inspect, types } = builtin('node:util')

/**
 * An error in a form that can be posted. Errors refer to each other by number, so cycles are no
 * trouble.
 */
export interface ErrorReport {
  readonly nodes: readonly Node[]
}

type Node = ErrorNode | { readonly kind: 'value'; readonly value: unknown }

interface ErrorNode {
  readonly kind: 'error'
  /** The nearest class above the error's own that exists in every thread. */
  readonly base: string
  readonly name: string
  readonly message: string
  readonly stack: string | null
  readonly own: ReadonlyMap<string, unknown>
  /** Properties that are errors themselves: the node each refers to. `cause` is one of them. */
  readonly linked: ReadonlyMap<string, number>
  readonly errors: readonly number[] | null
}

const apart = new Set(['name', 'message', 'stack', 'errors'])

/** Own properties nested deeper are left out: a thread with a smaller stack could not read them. */
const mostDepth = 64

/**
 * Errors behind an error that are kept, causes and members together. Each costs about 40 µs for its
 * stack (measured), so that the longest report takes less than half a second.
 */
const mostErrors = 10_000

/**
 * Makes a report of anything that was thrown. Never throws, and never makes what cannot be posted.
 */
export function reportOf(thrown: unknown): ErrorReport {
  try {
    return describe(thrown)
  } catch {
    return { nodes: [plainNode(textOf(thrown))] }
  }
}

/** Walks from error to error in a loop: a chain of causes may be longer than a stack is deep. */
function describe(thrown: unknown): ErrorReport {
  const values: unknown[] = []
  const numbers = new Map<unknown, number>()
  const number = (value: unknown): number | null => {
    const known = numbers.get(value)
    if (known !== undefined) return known
    if (values.length === mostErrors) return null
    numbers.set(value, values.length)
    return values.push(value) - 1
  }
  number(thrown)
  const nodes: Node[] = []
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    nodes.push(
      isError(value) ? errorNode(value, number) : { kind: 'value', value: sendable(value) },
    )
  }
  return { nodes }
}

function errorNode(error: Error, number: (value: unknown) => number | null): ErrorNode {
  const own = new Map<string, unknown>()
  const linked = new Map<string, number>()
  for (const key of Object.getOwnPropertyNames(error).filter((name) => !apart.has(name))) {
    const value = read(error, key)
    if (isError(value) || key === 'cause') {
      const index = number(value)
      if (index !== null) linked.set(key, index)
    } else {
      const copy = copyOf(value)
      if (copy !== null) own.set(key, copy.value)
    }
  }
  const [errors, stack] = [read(error, 'errors'), read(error, 'stack')]
  return {
    kind: 'error',
    base: baseOf(error),
    name: textOf(read(error, 'name')),
    message: textOf(read(error, 'message')),
    stack: typeof stack === 'string' ? stack : null,
    own,
    linked,
    errors: Array.isArray(errors) ? errors.map(number).filter((index) => index !== null) : null,
  }
}

/** What is left to say of something that refuses to be looked at. */
function plainNode(message: string): ErrorNode {
  const nothing = new Map<never, never>()
  const rest = { stack: null, own: nothing, linked: nothing, errors: null }
  return { kind: 'error', base: 'Error', name: 'Error', message, ...rest }
}

/** Makes the error, or other thrown value, of a report. */
export function thrownOf(report: ErrorReport): unknown {
  const made = report.nodes.map((node) => (node.kind === 'error' ? blank(node) : node.value))
  for (const [index, node] of report.nodes.entries()) {
    if (node.kind === 'error') complete(made[index] as Error, node, made)
  }
  return made[0]
}

/** Like {@link thrownOf}, but what is no error comes wrapped in one. */
export function errorOf(report: ErrorReport): Error {
  return asError(thrownOf(report))
}

/** What was thrown, if it is an error; else an error with it as the cause. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(`Thrown: ${shown(thrown)}`, { cause: thrown })
}

const bases = new Map<string, new (message?: string) => Error>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((base) => [
    base.name,
    base,
  ]),
)

/** Classes whose instances take more than a message to make. */
const rebuilt = new Set(['AggregateError', 'DOMException', 'UserWorkerError'])

function blank(node: ErrorNode): Error {
  if (node.base === 'AggregateError') return new AggregateError([], node.message)
  if (node.base === 'DOMException') return new DOMException(node.message, node.name)
  if (node.base === 'UserWorkerError') {
    return new UserWorkerError(node.own.get('code') as ErrorCode, node.message)
  }
  const base = bases.get(node.base) ?? Error
  return new base(node.message)
}

function complete(error: Error, node: ErrorNode, made: readonly unknown[]): void {
  const define = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
  }
  if (error.name !== node.name) define('name', node.name, false)
  define('stack', node.stack ?? `${node.name}: ${node.message}`, false)
  for (const [key, value] of node.own) define(key, value, true)
  for (const [key, index] of node.linked) define(key, made[index], key !== 'cause')
  if (node.errors !== null)
    define(
      'errors',
      node.errors.map((index) => made[index]),
      false,
    )
}

function baseOf(error: Error): string {
  let at: unknown = prototypeOf(error)
  for (; at !== null; at = prototypeOf(at)) {
    const name: unknown = (at as { constructor?: { name?: unknown } }).constructor?.name
    if (typeof name === 'string' && (bases.has(name) || rebuilt.has(name))) return name
  }
  return 'Error'
}

function prototypeOf(value: unknown): unknown {
  try {
    return Object.getPrototypeOf(value)
  } catch {
    return null
  }
}

/** Whether something is an error, of this realm or another. */
function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error
  } catch {
    return false
  }
}

function read(from: object, key: string): unknown {
  try {
    return (from as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shown(value)
}

function shown(value: unknown): string {
  try {
    return inspect(value)
  } catch {
    return 'something that cannot be shown'
  }
}

/** A copy that can be posted: a second look at the value itself might give something else. */
function copyOf(value: unknown): { readonly value: unknown } | null {
  try {
    const copy: unknown = structuredClone(value)
    return isWithin(copy, mostDepth) ? { value: copy } : null
  } catch {
    return null
  }
}

function sendable(value: unknown): unknown {
  const copy = copyOf(value)
  return copy === null ? textOf(value) : copy.value
}

/** Whether a value nests no deeper than so many levels. */
function isWithin(value: unknown, depth: number): boolean {
  const seen = new Set<unknown>()
  let level: unknown[] = [value]
  for (let left = depth; left > 0 && level.length > 0; left--) {
    const objects = level.filter(
      (each) => typeof each === 'object' && each !== null && !seen.has(each),
    )
    for (const each of objects) seen.add(each)
    level = (objects as object[]).flatMap(partsOf)
  }
  return level.length === 0
}

function partsOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return []
  if (value instanceof Map) return [...value.keys(), ...value.values()]
  return value instanceof Set ? [...value] : Object.values(value)
}
