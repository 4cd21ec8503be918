/**
 * The calls that a child process runs.
 *
 * @module
 */
import { Restorer, runWithin, type Step } from '../../carry/index.js'
import { reportOf, thrownOf } from '../../worker/thread-side.js'
import { isThenable, sendItems } from '../items.js'
import type { Handlers } from '../numbered-handlers.js'
import { running } from '../running.js'
import { Running, type RunningThread } from '../running-work.js'
import type { ToChild, ToThread } from './protocol.js'
import { carry, unpack } from './values.js'

/** Memory is told once in so many calls. */
const callsPerMemory = 16

type Heard = Exclude<ToChild, { readonly type: 'begin' | 'stand' | 'stop' }>

export class Calls implements RunningThread {
  readonly #handlers: Handlers
  readonly #tell: (message: ToThread) => void
  readonly #heapMb: (() => number) | null
  /** The works of calls that have not ended. */
  readonly #works = new Map<number, Running>()
  #count = 0
  /** What comes by number is sent with each call: there are no messages to hear. */
  readonly #restorer = new Restorer(
    () => {},
    (name) => this.#tell({ type: 'no-carrier', name }),
  )

  /** @param heapMb - null where nobody wants to know */
  constructor(
    handlers: Handlers,
    tell: (message: ToThread) => void,
    heapMb: (() => number) | null,
  ) {
    this.#handlers = handlers
    this.#tell = tell
    this.#heapMb = heapMb
  }

  hear(message: Heard): void {
    switch (message.type) {
      case 'handler':
        this.#handlers.define(message.number, message.name, message.source)
        break
      case 'call':
        this.#call(message)
        break
      case 'abort': {
        const work = this.#works.get(message.call)
        if (work === undefined) break
        const abort = (): void => work.abort(thrownOf(message.reason))
        runWithin(work.steps, () => running.run(work, abort))
        break
      }
      case 'credit':
        this.#works.get(message.call)?.addCredit(message.count)
    }
  }

  checkpoint(work: Running): void {
    work.signal.throwIfAborted()
  }

  blocking<Result>(call: () => Result): Result {
    return call()
  }

  progress(work: Running, value: unknown): void {
    if (work.ended) return
    this.#tell({ type: 'progress', call: work.slot, value: carry(value, 'What a work tells') })
  }

  #call(message: ToChild & { type: 'call' }): void {
    const { call, number } = message
    let result: unknown
    try {
      const args = unpack(message.args, 'An argument of a work') as readonly unknown[]
      const steps = this.#stepsOf(message.carried)
      const handler = this.#handlers.get(number)
      if (message.work === null) result = runWithin(steps, () => handler.call(args))
      else {
        const { id, key, isStream } = message.work
        // In place of a slot's number: the call's.
        const work = new Running(this, call, 0, 0, id, number)
        work.key = key
        work.name = handler.name
        work.steps = steps
        this.#works.set(call, work)
        const run = (): unknown =>
          isStream ? this.#stream(work, handler.call(args)) : handler.call(args)
        result = runWithin(steps, () => running.run(work, run))
      }
    } catch (error) {
      return this.#fail(call, error)
    }
    if (!isThenable(result)) return this.#complete(call, result)
    Promise.resolve(result).then(
      (value) => this.#complete(call, value),
      (error: unknown) => this.#fail(call, error),
    )
  }

  #stepsOf(carried: Uint8Array | null): readonly Step[] {
    if (carried === null) return []
    const values = unpack(carried, 'What a work carries') as readonly unknown[]
    return this.#restorer.stepsOf(0, values)
  }

  #stream(work: Running, returned: unknown): Promise<void> {
    return sendItems(work, returned, {
      tellValue: ({ value }, what) =>
        this.#tell({ type: 'item', call: work.slot, value: carry(value, what) }),
    })
  }

  #complete(call: number, result: unknown): void {
    let value: Uint8Array
    try {
      value = carry(result, 'The result of a work')
    } catch (error) {
      return this.#fail(call, error)
    }
    this.#end(call)
    this.#tell({ type: 'done', call, value })
  }

  #fail(call: number, error: unknown): void {
    this.#end(call)
    this.#tell({ type: 'threw', call, error: reportOf(error) })
  }

  #end(call: number): void {
    const work = this.#works.get(call)
    if (work !== undefined) work.ended = true
    this.#works.delete(call)
    if (this.#heapMb === null || ++this.#count % callsPerMemory !== 0) return
    this.#tell({ type: 'memory', heapMb: this.#heapMb() })
  }
}
