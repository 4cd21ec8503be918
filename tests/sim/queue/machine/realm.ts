/**
 * A global scope of its own, with microtasks of its own: so a thread's promises go on when that thread
 * runs, though another one stands in the middle of something further down the same stack.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import { createContext, Script, type Context } from 'node:vm'

const names = [
  'Array',
  'ArrayBuffer',
  'Date',
  'Error',
  'EvalError',
  'Map',
  'Object',
  'Promise',
  'RangeError',
  'ReferenceError',
  'RegExp',
  'Set',
  'SyntaxError',
  'TypeError',
  'URIError',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
] as const

/** The constructors of a scope, by name. */
export type Intrinsics = Record<(typeof names)[number], never>

/** What the language does not give to a new scope, and Node gives to each of its own. */
const ofNode = {
  AbortController,
  AbortSignal,
  Buffer,
  DOMException,
  Event,
  EventTarget,
  // One for all: what is shared is the same object everywhere.
  SharedArrayBuffer,
  TextDecoder,
  TextEncoder,
  URL,
  structuredClone,
}

const intrinsicsOf = new Script(`({ ${names.join(', ')} })`)
const makeCall = new Script('try { call() } catch (error) { threw(error) }')

/** Outside of everything: what runs in it carries nothing. */
const nowhere = new AsyncResource('SimulatedThread', { triggerAsyncId: 0 })

export class Realm {
  readonly intrinsics: Intrinsics
  readonly #globals: Record<string, unknown> = {}
  readonly #context: Context

  constructor() {
    this.#context = createContext(this.#globals, { microtaskMode: 'afterEvaluate' })
    Object.assign(this.#globals, ofNode)
    this.intrinsics = intrinsicsOf.runInContext(this.#context) as Intrinsics
  }

  /** What a script gives here. */
  evaluate(script: Script): unknown {
    return script.runInContext(this.#context)
  }

  /**
   * Calls a function, then lets the microtasks here run out.
   *
   * @param resource - what the call carries
   * @returns what it threw, boxed; null: nothing
   */
  call(run: () => void, resource: AsyncResource = nowhere): { readonly thrown: unknown } | null {
    let result: { readonly thrown: unknown } | null = null
    this.#globals['call'] = run
    this.#globals['threw'] = (thrown: unknown) => {
      result = { thrown }
    }
    resource.runInAsyncScope(() => void makeCall.runInContext(this.#context))
    return result
  }
}

const free: Realm[] = []

/** A realm to run a thread in. Making one takes a millisecond: those of ended threads are used again. */
export function takeRealm(): Realm {
  return free.pop() ?? new Realm()
}

/** To be called once nothing of the thread can run any more. */
export function giveRealm(realm: Realm): void {
  free.push(realm)
}
