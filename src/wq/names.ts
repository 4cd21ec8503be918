/**
 * The handlers that works of a queue have named so far, by number. A worker is told of each before the
 * first work that refers to it.
 *
 * @module
 */
import { invalid } from '../errors.js'
import { nameBits } from '../ring/index.js'
import { sourceOf } from './inline.js'
import type { Definition } from './protocol.js'

const most = 2 ** nameBits

export class Names {
  readonly #numbers = new Map<string, number>()
  readonly #functions = new WeakMap<object, number>()
  readonly #definitions: (Definition & { readonly type: 'handler' })[] = []
  readonly #tell: (definition: Definition) => void

  constructor(tell: (definition: Definition) => void) {
    this.#tell = tell
  }

  /** Every handler so far. */
  get definitions(): readonly Definition[] {
    return this.#definitions
  }

  nameOf(number: number): string {
    return this.#definitions[number]?.name ?? ''
  }

  /**
   * The number of a handler's name.
   *
   * @throws TypeError EINVAL: this queue has been asked for too many names
   */
  numberOf(name: string): number {
    return this.#numbers.get(name) ?? this.#define(name, name, null)
  }

  /**
   * The number of an inline function. Functions with the same text share one.
   *
   * @throws TypeError EINVAL: it cannot be shipped as text
   */
  numberOfFunction(fn: object): number {
    const known = this.#functions.get(fn)
    if (known !== undefined) return known
    const source = sourceOf(fn)
    // No handler's name begins like this: it is followed by the text.
    const key = `\0${source}`
    const { name } = fn as { name?: unknown }
    const shown = typeof name === 'string' && name !== '' ? name : 'function'
    const number = this.#numbers.get(key) ?? this.#define(key, shown, source)
    this.#functions.set(fn, number)
    return number
  }

  #define(key: string, name: string, source: string | null): number {
    const number = this.#definitions.length
    if (number >= most) {
      throw invalid(
        `This queue knows ${most} handlers already, and '${name}' would be one more. ` +
          'Give works what differs as an argument, not as a name or a function of its own',
      )
    }
    const definition = { type: 'handler', number, name, source } as const
    this.#numbers.set(key, number)
    this.#definitions.push(definition)
    this.#tell(definition)
    return number
  }
}
