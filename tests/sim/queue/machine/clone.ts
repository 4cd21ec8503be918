/**
 * What a message makes of a value: a copy in another realm, as `structuredClone` gives it in another
 * thread.
 *
 * @module
 */
import { types } from 'node:util'
import type { Intrinsics } from './realm.js'

type Made = Record<keyof Intrinsics, new (...args: unknown[]) => never>
type View = ArrayBufferView & { readonly length?: number }

/** This program's own. */
export const own: Intrinsics = globalThis as unknown as Intrinsics

/** Copies values into one realm. */
export class Copier {
  readonly #to: Made
  readonly #refuse: (text: string) => Error
  /** What was met, and what became of it. */
  readonly #copies: Map<object, unknown>

  /**
   * @param moved - what is not copied, and what takes its place
   * @param refuse - makes the error for what cannot be sent
   */
  constructor(
    to: Intrinsics,
    moved: ReadonlyMap<object, unknown>,
    refuse: (text: string) => Error,
  ) {
    this.#to = to
    this.#copies = new Map(moved)
    this.#refuse = refuse
  }

  copy(value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw this.#refuse(`${String(value)} could not be cloned.`)
    }
    if (typeof value !== 'object' || value === null) return value
    if (this.#copies.has(value)) return this.#copies.get(value)
    const copy = this.#shell(value)
    this.#copies.set(value, copy)
    this.#fill(value, copy)
    return copy
  }

  /** The copy without what is in it. */
  #shell(value: object): object {
    const to = this.#to
    if (Array.isArray(value)) return new to.Array(value.length)
    if (types.isSharedArrayBuffer(value)) return value
    if (types.isArrayBuffer(value)) return this.#bytes(value)
    if (ArrayBuffer.isView(value)) return this.#view(value)
    if (types.isMap(value)) return new to.Map()
    if (types.isSet(value)) return new to.Set()
    if (types.isDate(value)) return new to.Date(value.getTime())
    if (types.isRegExp(value)) return new to.RegExp(value.source, value.flags)
    if (types.isNativeError(value)) return this.#error(value)
    if (types.isBoxedPrimitive(value)) return Object(value.valueOf()) as object
    if (types.isProxy(value) || types.isPromise(value) || types.isWeakMap(value)) {
      throw this.#refuse('#<Object> could not be cloned.')
    }
    return new to.Object()
  }

  #fill(value: object, copy: object): void {
    if (types.isMap(value)) {
      for (const [key, each] of value) {
        ;(copy as Map<unknown, unknown>).set(this.copy(key), this.copy(each))
      }
    } else if (types.isSet(value)) {
      for (const each of value) (copy as Set<unknown>).add(this.copy(each))
    } else if (types.isNativeError(value)) {
      if ('cause' in value) (copy as { cause?: unknown }).cause = this.copy(value.cause)
    } else if (Array.isArray(value) || isPlain(value)) {
      for (const key of Object.keys(value)) {
        ;(copy as Record<string, unknown>)[key] = this.copy((value as Record<string, unknown>)[key])
      }
    }
  }

  #bytes(buffer: ArrayBuffer): ArrayBuffer {
    const copy: ArrayBuffer = new this.#to.ArrayBuffer(buffer.byteLength)
    new Uint8Array(copy).set(new Uint8Array(buffer))
    return copy
  }

  #view(view: View): object {
    const buffer = this.copy(view.buffer)
    const name = types.isDataView(view) ? 'DataView' : typedArrayName(view)
    const make = this.#to[name]
    return new make(buffer, view.byteOffset, view.length ?? view.byteLength)
  }

  #error(error: Error): object {
    const known = /^(Eval|Range|Reference|Syntax|Type|URI)?Error$/.test(error.name)
    const copy: Error = new this.#to[(known ? error.name : 'Error') as keyof Intrinsics](
      error.message,
    )
    const { stack } = error
    Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true })
    return copy
  }
}

function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]' && !types.isExternal(value)
}

function typedArrayName(view: View): keyof Intrinsics {
  const tag: unknown = Reflect.get(
    Object.getPrototypeOf(Uint8Array.prototype) as object,
    Symbol.toStringTag,
    view,
  )
  return tag as keyof Intrinsics
}
