/**
 * The handlers' module, loaded into the process or thread that runs it.
 *
 * @module
 */
import { UserWorkerError } from '../errors.js'
import { loadFailure, loadModule } from '../worker/thread-side.js'
import type { Function, Host } from './host.js'
import { explainReference, functionOf } from './inline.js'
import { noModule } from './protocol.js'

/** Exported functions that are no handlers. */
const reserved = new Set(['setup', 'teardown'])

export class OwnModule implements Host {
  readonly companion = null
  readonly died = null
  readonly #url: string
  readonly #data: unknown
  #module: Readonly<Record<string, unknown>> = {}

  /** @param data - what the module's `setup` gets */
  constructor(url: string, data: unknown) {
    this.#url = url
    this.#data = data
  }

  async load(): Promise<void> {
    const module = await loadModule(this.#url)
    const { setup } = module
    try {
      if (typeof setup === 'function') await setup(this.#data)
    } catch (cause) {
      throw loadFailure(`The setup of ${this.#url}`, cause)
    }
    this.#module = module
  }

  named(name: string): Function {
    const module = this.#module
    const found = Object.hasOwn(module, name) && !reserved.has(name) ? module[name] : undefined
    if (typeof found === 'function') return found as Function
    return () => {
      throw new UserWorkerError('ERR_NO_HANDLER', this.#whyNone(name, module))
    }
  }

  #whyNone(name: string, module: Record<string, unknown>): string {
    if (this.#url === noModule) {
      return `This queue was made without a module, so it has no handler '${name}': give it an inline function`
    }
    const names = Object.keys(module).filter(
      (key) => typeof module[key] === 'function' && !reserved.has(key),
    )
    return `${this.#url} has no handler '${name}'. It has: ${names.join(', ') || 'none'}`
  }

  /** It is rebuilt at its first call: what is wrong with its text fails its works. */
  inline(source: string, name: string): Function {
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

  heapMb(): number {
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 2 ** 20
  }

  kill(): void {
    // A thread that is to end by force is terminated.
  }

  async teardown(): Promise<void> {
    const { teardown } = this.#module
    if (typeof teardown === 'function') await teardown()
  }
}
