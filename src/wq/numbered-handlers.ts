/**
 * The handlers of a queue's worker, by the numbers that works refer to them with.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { explainReference, functionOf } from './inline.js'
import { noModule } from './protocol.js'

type Function = (...args: readonly unknown[]) => unknown

/** A handler, ready to be called. */
export interface Handler {
  readonly name: string
  readonly call: (args: readonly unknown[]) => unknown
}

/** Exported functions that are no handlers. */
const reserved = new Set(['setup', 'teardown'])

export class Handlers {
  readonly #url: string
  readonly #module: Readonly<Record<string, unknown>>
  readonly #byNumber = new Map<number, Handler>()
  readonly #await: (number: number) => void

  /** `await` hears messages until the number was defined. */
  constructor(
    url: string,
    module: Readonly<Record<string, unknown>>,
    awaitNumber: (number: number) => void,
  ) {
    this.#url = url
    this.#module = module
    this.#await = awaitNumber
  }

  has(number: number): boolean {
    return this.#byNumber.has(number)
  }

  /** @throws UserWorkerError ERR_NO_HANDLER: there is no handler of that name */
  get(number: number): Handler {
    let found = this.#byNumber.get(number)
    if (found === undefined) {
      this.#await(number)
      found = this.#byNumber.get(number) as Handler
    }
    return found
  }

  /** A name, or an inline function's text, got a number. */
  define(number: number, name: string, source: string | null): void {
    const call = source === null ? this.named(name) : inline(source, name)
    this.#byNumber.set(number, { name, call: (args) => call(...args) })
  }

  /** The handler of a name; one that throws where there is none. */
  named(name: string): Function {
    const module = this.#module
    const found = Object.hasOwn(module, name) && !reserved.has(name) ? module[name] : undefined
    if (typeof found === 'function') return found as Function
    return () => {
      throw new UserWorkerError('ERR_NO_HANDLER', this.#whyNone(name))
    }
  }

  #whyNone(name: string): string {
    if (this.#url === noModule) {
      return `This queue was made without a module, so it has no handler '${name}': give it an inline function`
    }
    const module = this.#module
    const names = Object.keys(module).filter(
      (key) => typeof module[key] === 'function' && !reserved.has(key),
    )
    return `${this.#url} has no handler '${name}'. It has: ${names.join(', ') || 'none'}`
  }
}

/** An inline function, rebuilt at its first call: what is wrong with its text fails its works. */
function inline(source: string, name: string): Function {
  let built: Function | null = null
  return (...args) => {
    try {
      built ??= functionOf(source, name)
      const result = built(...args)
      if (!(result instanceof Promise)) return result
      return result.catch((error: unknown) => {
        throw explainReference(error, source)
      })
    } catch (error) {
      throw explainReference(error, source)
    }
  }
}
