/**
 * The threads of a model. A thread is advanced by running its function again from the start: its earlier
 * operations get the results they had, and at the next one an exception takes it out again. So what a thread
 * knows is exactly the results it had, and no real thread is needed.
 *
 * @module
 */
import { act, withStepper, type MemoryOp, type PlainOp, type Words } from '../operations.js'
import { logPlace, type Places } from './places.js'
import { Misuse, type Model, type Value } from './protocol.js'

/** The operations of {@link Model}, beside those of memory. */
export type Op = MemoryOp | PlainOp | Exclude<keyof Model, 'again'>

/** A step that a thread is about to take. */
export interface Operation {
  readonly op: Op
  /** Where: the place of the word, of the channel, of the other thread's life, or of the log. */
  readonly place: number
  readonly args: readonly Value[]
}

/** Takes a thread out that wants to begin anew, knowing this and nothing else. */
class Again {
  constructor(readonly state: Value) {}
}

/** A thread's state: what it got so far, and so what it does next. */
export interface Local {
  /** Equal for equal states of a thread. */
  readonly id: number
  /** What its function was begun with. */
  readonly start: Value
  readonly before: Local | null
  /** The result that led here. */
  readonly result: Value
  readonly depth: number
  /** What it does next; null when its function returned. */
  readonly next: Operation | null
  /** What its function returned. */
  readonly value: Value
  readonly after: Map<Value, Local>
}

/** How far a run of a thread's function came. */
type Ran =
  | { readonly next: Operation; readonly value: undefined }
  | { readonly next: null; readonly value: Value | Again }

/** A thread broke the first promise of all: that it takes its steps, and returns. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** Whether a word is for a clock's readings, which would not be the same when a thread is run again. */
export type IsTime = (index: number, words: Words) => boolean

/** The most steps of a thread: more than any protocol needs, and soon reached by one that spins. */
const mostSteps = 2000

const leave = new Error('The model checker takes this thread out at its next step; do not catch it')

/** The threads of a model, and all states they were ever in. */
export class Locals {
  readonly #names: readonly string[]
  readonly #bodies: readonly ((start: Value) => unknown)[]
  readonly #places: Places
  readonly #isTime: IsTime
  readonly #ended = new Map<string, Local>()
  readonly #begun = new Map<string, Local>()
  readonly #gone: Local
  #count = 0
  /** While a thread's function runs: the results to give it, and what it asks for after those. */
  #past: readonly Local[] = []
  #given = 0
  #result: Value = undefined
  #held: Operation | null = null
  #swallowed = false

  constructor(
    bodies: Readonly<Record<string, (model: Model, start: Value) => unknown>>,
    places: Places,
    isTime: IsTime = () => false,
  ) {
    this.#isTime = isTime
    const model = this.#model()
    this.#names = Object.keys(bodies)
    this.#bodies = Object.values(bodies).map((body) => (start) => body(model, start))
    this.#places = places
    this.#gone = this.#local(undefined, null, undefined, { next: null, value: undefined })
  }

  /** The state of a thread that was terminated: whatever it knew, it does nothing any more. */
  get gone(): Local {
    return this.#gone
  }

  /** A thread before its first step. */
  first(thread: number): Local {
    return this.#begin(thread, undefined)
  }

  /** A thread after the result of its next step. */
  after(thread: number, local: Local, result: Value): Local {
    const known = local.after.get(result)
    if (known !== undefined) return known
    const next = this.#advance(thread, local, result, local.start)
    local.after.set(result, next)
    return next
  }

  /** A thread at the begin of its function. */
  #begin(thread: number, start: Value): Local {
    const key = `${thread} ${JSON.stringify(start)}`
    const known = this.#begun.get(key)
    if (known !== undefined) return known
    const local = this.#advance(thread, null, undefined, start)
    this.#begun.set(key, local)
    return local
  }

  #advance(thread: number, before: Local | null, result: Value, start: Value): Local {
    const depth = before === null ? 0 : before.depth + 1
    if (depth > mostSteps) {
      throw new Broken(`${this.#names[thread]} takes more than ${mostSteps} steps: does it spin?`)
    }
    const past: Local[] = []
    for (let local = before; local !== null; local = local.before) past.push(local)
    const end = this.#run(thread, past.toReversed(), result, start)
    if (end.next !== null) return this.#local(start, before, result, end)
    if (end.value instanceof Again) {
      if (before === null) throw new Misuse(`${this.#names[thread]} begins anew without a step`)
      return this.#begin(thread, this.#places.lists.intern(end.value.state))
    }
    // Threads that returned the same are in the same state, whatever they did before.
    const value = this.#places.lists.intern(end.value)
    const key = `${thread} ${JSON.stringify(value)}`
    const known = this.#ended.get(key)
    if (known !== undefined) return known
    const local = this.#local(start, before, result, { next: null, value })
    this.#ended.set(key, local)
    return local
  }

  #local(
    start: Value,
    before: Local | null,
    result: Value,
    end: Pick<Local, 'next' | 'value'>,
  ): Local {
    const depth = before === null ? 0 : before.depth + 1
    return { id: this.#count++, start, before, result, depth, ...end, after: new Map() }
  }

  /** Runs a thread's function: `past` are its states so far, the last of which gets `result`. */
  #run(thread: number, past: readonly Local[], result: Value, start: Value): Ran {
    const name = this.#names[thread] ?? ''
    this.#past = past
    this.#given = 0
    this.#held = null
    this.#swallowed = false
    const stepper = {
      step: (op: MemoryOp | PlainOp, words: Words, index: number, args: readonly number[]) => {
        const place = this.#places.ofWord(words, index)
        if (!this.#isTime(index, words)) return this.#ask(op, place, args) as number
        // What the clock says is nothing to anybody, but whether it has said something may be.
        return this.#ask(
          op,
          place,
          args.map((arg) => (arg === 0 ? 0 : 1)),
        ) as number
      },
      allocated: () => {
        throw new Misuse(`${name} makes shared words: make them in \`setUp\``)
      },
    }
    this.#result = result
    let value: unknown
    try {
      value = withStepper(stepper, () => this.#bodies[thread]?.(start))
    } catch (error) {
      if (error instanceof Misuse) throw error
      if (error instanceof Again && this.#held === null) return { next: null, value: error }
      if (this.#swallowed || (error !== leave && this.#held !== null)) throw swallowed(name)
      if (error === leave && this.#held !== null) return { next: this.#held, value: undefined }
      const shown = error instanceof Error ? (error.stack ?? error.message) : String(error)
      throw new Broken(`${name} threw ${shown}`)
    }
    if (this.#held !== null) throw swallowed(name)
    if (this.#given < past.length) throw changed(name)
    if (value instanceof Promise) throw new Misuse(`${name} is asynchronous: a thread must not be`)
    return { next: null, value: value as Value | Again }
  }

  /** Called by a thread that runs: gives the result its operation had, or takes it out. */
  #ask(op: Op, place: number, args: readonly Value[]): Value {
    if (this.#held !== null) {
      this.#swallowed = true
      throw leave
    }
    const past = this.#past[this.#given]
    if (past === undefined) {
      this.#held = { op, place, args }
      throw leave
    }
    if (past.next === null || !isSame(past.next, { op, place, args })) throw changed('A thread')
    const next = this.#past[++this.#given]
    return next === undefined ? this.#result : next.result
  }

  /** What the functions get as `model`: each call of it is a step of the thread that runs. */
  #model(): Model {
    const channel = (name: string): number => this.#places.ofChannel(name)
    const life = (name: string): number => {
      const thread = this.#names.indexOf(name)
      if (thread < 0) throw new Misuse(`There is no thread '${name}': ${this.#names.join(', ')}`)
      return this.#places.life(thread)
    }
    return {
      post: (name, message) => void this.#ask('post', channel(name), [this.#intern(message)]),
      receive: (name) => this.#ask('receive', channel(name), []),
      tryReceive: (name) => this.#ask('tryReceive', channel(name), []),
      terminate: (thread) => void this.#ask('terminate', life(thread), []),
      kill: (thread) => void this.#ask('kill', life(thread), []),
      ended: (thread) => void this.#ask('ended', life(thread), []),
      again: (state) => {
        // No error: there is no stack to be kept, and nobody else to see it.
        // oxlint-disable-next-line typescript/only-throw-error
        throw new Again(state)
      },
      note: (name, value) => void this.#ask('note', logPlace, [name, this.#intern(value)]),
    }
  }

  #intern(value: Value): Value {
    return this.#places.lists.intern(value)
  }
}

/** Runs code of an oracle: on the words as they stand, which it may change. */
export function withRealWords<Result>(places: Places, run: () => Result): Result {
  const stepper = {
    step: (op: MemoryOp | PlainOp, words: Words, index: number, args: readonly number[]) => {
      if (op === 'wait') throw new Misuse('A check must not wait')
      places.ofWord(words, index)
      return act(op, words, index, args)
    },
    allocated: (words: Words) => places.add(words),
  }
  return withStepper(stepper, run)
}

/** Runs code that only looks: words hold what `value` says of their places. */
export function withValues<Result>(
  places: Places,
  value: (place: number) => number,
  run: () => Result,
): Result {
  const stepper = {
    step: (op: MemoryOp | PlainOp, words: Words, index: number) => {
      if (op !== 'load' && op !== 'get') throw new Misuse('`holds` must only look')
      return value(places.ofWord(words, index))
    },
    allocated: () => {
      throw new Misuse('`holds` must not make words')
    },
  }
  return withStepper(stepper, run)
}

function isSame(a: Operation, b: Operation): boolean {
  return (
    a.op === b.op &&
    a.place === b.place &&
    a.args.length === b.args.length &&
    a.args.every((arg, index) => Object.is(arg, b.args[index]))
  )
}

function changed(name: string): Misuse {
  return new Misuse(
    `${name} did something else when it was run again with the same results: it keeps state ` +
      'outside of shared memory, or reads a clock',
  )
}

function swallowed(name: string): Misuse {
  return new Misuse(
    `${name} catches the exception by which the model checker takes it out, or takes a step while ` +
      'that passes: no try, catch or finally around steps',
  )
}
