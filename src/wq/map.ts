/**
 * One work for each of many inputs, a bounded number of them at a time, as one sequence of results.
 *
 * | state  | holds                                                     | left by                     |
 * | ------ | --------------------------------------------------------- | --------------------------- |
 * | new    | nothing is pulled, run or listened to                     | the first `next`; `return`  |
 * | open   | works run; inputs are pulled while there is a place       | see below                   |
 * | failed | an error waits behind the results that were there first   | its delivery; `return`      |
 * | ended  | every further `next` is done                              | nobody                      |
 *
 * Open is left by an error of a work or of the inputs, and by the caller's signal, for failed; by
 * `return`, and by the last result, for ended. Whoever leaves it early aborts the works that run,
 * tells the inputs to end, and waits for neither: a work may mind no signal. Only `return` waits
 * for the inputs, as `for await` does, unless they owe an input: then they may never answer.
 *
 * Who settles a `next`: a result, if it is there or comes; else the end, whichever of the above.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import { aborted, invalid } from '../errors.js'
import { checkBoolean, checkInteger, checkOptions, checkSignal } from '../validate.js'

/** How {@link mapOver} goes about it. */
export interface MapOptions {
  /** Works that run, and results that nobody has taken yet, together: from 1 to 1,000,000. */
  concurrency: number
  /** Whether results come in the order of their inputs; else as they finish. Default true. */
  ordered?: boolean
  /** Ends the iteration when aborted, and the works that run with it. */
  signal?: AbortSignal
}

/** Results, to be taken with `for await`. */
export type Results<R> = AsyncIterableIterator<R> & AsyncDisposable

type Inputs<I> = Iterable<I> | AsyncIterable<I>
type Run<I, R> = (input: I, signal: AbortSignal) => Promise<R>

/** As many works as a queue is made for: each takes memory of its own. */
const mostConcurrency = 1_000_000

/**
 * Runs a work for each input. Inputs are pulled one after the other, and only when there is a place
 * for their work: so a slow consumer slows the inputs down.
 *
 * The first error ends it: results that can be given before it are, then the error comes. An
 * aborted signal ends it at once.
 *
 * @param run - is given an input, and a signal that is aborted when its result is not wanted any
 * more
 * @throws TypeError EINVAL: an argument is wrong
 */
export function mapOver<I, R>(run: Run<I, R>, inputs: Inputs<I>, options: MapOptions): Results<R> {
  checkOptions('map', options, ['concurrency', 'ordered', 'signal'])
  const { concurrency, ordered = true, signal } = options
  checkInteger('map: concurrency', concurrency, 1, mostConcurrency)
  checkBoolean('map: ordered', ordered)
  if (signal !== undefined) checkSignal('map: signal', signal)
  if (openerOf(inputs) === undefined) {
    throw invalid('map: the inputs must be an array, or another iterable or async iterable')
  }
  return new Mapping(run, inputs, concurrency, ordered, signal ?? null)
}

/** A place in the line of results. */
interface Place<R> {
  result: { readonly value: R } | null
}

interface Waiting<R> {
  readonly resolve: (result: IteratorResult<R, undefined>) => void
  readonly reject: (error: unknown) => void
}

type Pulled<I> = IteratorResult<I, unknown>

class Mapping<I, R> implements AsyncIterableIterator<R>, AsyncDisposable {
  readonly #run: Run<I, R>
  readonly #inputs: Inputs<I>
  readonly #concurrency: number
  readonly #ordered: boolean
  readonly #signal: AbortSignal | null
  readonly #works = new AbortController()
  #state: 'new' | 'open' | 'failed' | 'ended' = 'new'
  /** Null before the first `next`, and once it has said or been told that it is done. */
  #iterator: Iterator<I> | AsyncIterator<I> | null = null
  /** Whether the inputs owe an input. They are asked for one at a time. */
  #pulling = false
  /** Places taken: works that run, and results in the line. */
  #taken = 0
  /** Ordered: a work joins with its start. Else: with its end. */
  readonly #line = new Line<Place<R>>()
  readonly #waiting = new Line<Waiting<R>>()
  #error: { readonly error: unknown } | null = null
  readonly #onAbort = (): void => this.#fail(aborted(this.#signal?.reason), true)

  constructor(
    run: Run<I, R>,
    inputs: Inputs<I>,
    concurrency: number,
    ordered: boolean,
    signal: AbortSignal | null,
  ) {
    this.#run = run
    this.#inputs = inputs
    this.#concurrency = concurrency
    this.#ordered = ordered
    this.#signal = signal
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#state === 'new') this.#open()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#deliver()
    })
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    const owesAnInput = this.#pulling
    const closing = this.#end()
    // Its error, if any, is the caller's to see, as with `for await` over the inputs themselves.
    if (!owesAnInput) await closing
    return { done: true, value: undefined }
  }

  throw(error: unknown): Promise<IteratorResult<R, undefined>> {
    void this.#end(error)
    // Whatever the caller gave.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    return Promise.reject(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #open(): void {
    this.#state = 'open'
    const signal = this.#signal
    if (signal?.aborted === true) {
      this.#onAbort()
      return
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    // Each work may listen; Node would warn of a leak at the eleventh.
    setMaxListeners(0, this.#works.signal)
    try {
      this.#iterator = openerOf(this.#inputs)?.call(this.#inputs) ?? null
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#pull()
  }

  /** Pulls inputs while there is a place. Anything of the caller's that it calls may end it. */
  #pull(): void {
    while (this.#mayPull()) {
      this.#pulling = true
      let pulled: Pulled<I> | PromiseLike<Pulled<I>> | undefined
      try {
        pulled = this.#iterator?.next()
        if (isPromise(pulled)) {
          pulled.then(
            (result) => this.#onInput(result) && this.#pull(),
            (error: unknown) => this.#onInputsError(error),
          )
          return
        }
      } catch (error) {
        this.#onInputsError(error)
        return
      }
      if (!this.#onInput(pulled)) return
    }
  }

  #mayPull(): boolean {
    const isOpen = this.#state === 'open' && this.#iterator !== null
    return isOpen && !this.#pulling && this.#taken < this.#concurrency
  }

  /** @returns whether there may be more */
  #onInput(pulled: Pulled<I> | undefined): boolean {
    this.#pulling = false
    if (this.#state !== 'open') return false
    if (typeof pulled !== 'object' || pulled === null) {
      this.#onInputsError(invalid("map: the inputs' next() gave no iterator result"))
      return false
    }
    if (pulled.done === true) {
      this.#iterator = null
      this.#deliver()
      return false
    }
    this.#start(pulled.value)
    return true
  }

  /** Inputs that threw are over: they are not told to end. */
  #onInputsError(error: unknown): void {
    this.#pulling = false
    this.#iterator = null
    this.#fail(error)
  }

  #start(input: I): void {
    this.#taken++
    const place: Place<R> = { result: null }
    if (this.#ordered) this.#line.push(place)
    let result: Promise<R>
    try {
      result = this.#run(input, this.#works.signal)
    } catch (error) {
      this.#fail(error)
      return
    }
    // Late ones come to nothing, but are heard: no rejection is unhandled.
    result.then(
      (value) => {
        if (this.#state !== 'open') return
        place.result = { value }
        if (!this.#ordered) this.#line.push(place)
        this.#deliver()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** Gives what is there to those who wait, in order; what is taken makes room for inputs. */
  #deliver(): void {
    while (this.#waiting.first !== null) {
      const result = this.#line.first?.result ?? null
      if (result === null) break
      this.#line.shift()
      this.#taken--
      this.#waiting.shift()?.resolve({ done: false, value: result.value })
    }
    if (this.#state === 'open') {
      if (this.#iterator === null && !this.#pulling && this.#taken === 0) void this.#end()
      else this.#pull()
    }
    if (this.#state === 'failed' && this.#waiting.first !== null) {
      this.#waiting.shift()?.reject(this.#error?.error)
      this.#settleAsEnded()
    } else if (this.#state === 'ended') this.#settleAsEnded()
  }

  /** The first error counts. `atOnce`: results that are there are dropped. */
  #fail(error: unknown, atOnce = false): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = { error }
    if (atOnce) this.#line.clear()
    this.#close(error)?.catch(() => {})
    this.#deliver()
  }

  /** @returns the end of the inputs, where they were told to end */
  #end(reason?: unknown): Promise<unknown> | null {
    const wasOpen = this.#state === 'open'
    // First: what is called in closing may call `return` in its turn.
    this.#state = 'ended'
    const closing = wasOpen ? this.#close(reason) : null
    closing?.catch(() => {})
    this.#settleAsEnded()
    return closing
  }

  /** Nobody listens any more, works are aborted, inputs told to end: once, when open is left. */
  #close(reason: unknown): Promise<unknown> | null {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const iterator = this.#iterator
    this.#iterator = null
    if (this.#taken > 0) this.#works.abort(reason)
    return iterator === null ? null : endOf(iterator)
  }

  #settleAsEnded(): void {
    this.#state = 'ended'
    this.#error = null
    this.#line.clear()
    for (let each = this.#waiting.shift(); each !== null; each = this.#waiting.shift()) {
      each.resolve({ done: true, value: undefined })
    }
  }
}

/** Tells an iterator to end. Both what it throws and what it rejects with is in the promise. */
async function endOf(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<unknown> {
  return await iterator.return?.()
}

function openerOf<I>(inputs: Inputs<I>): (() => Iterator<I> | AsyncIterator<I>) | undefined {
  const methods = (inputs ?? {}) as Partial<AsyncIterable<I> & Iterable<I>>
  return methods[Symbol.asyncIterator] ?? methods[Symbol.iterator]
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

interface Link<T> {
  readonly value: T
  behind: Link<T> | null
}

/** First in, first out, each step in the same time however long it is. */
class Line<T> {
  #first: Link<T> | null = null
  #last: Link<T> | null = null

  get first(): T | null {
    return this.#first === null ? null : this.#first.value
  }

  push(value: T): void {
    const link: Link<T> = { value, behind: null }
    if (this.#last === null) this.#first = link
    else this.#last.behind = link
    this.#last = link
  }

  shift(): T | null {
    const link = this.#first
    if (link === null) return null
    this.#first = link.behind
    if (this.#first === null) this.#last = null
    return link.value
  }

  clear(): void {
    this.#first = this.#last = null
  }
}
