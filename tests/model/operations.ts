/**
 * What each operation of the memory door does: to real words, for the trace, and in the model checker.
 *
 * A new operation of the door is a line in this table and a function in `memory.ts`.
 *
 * @module
 */
import { record, type Step } from './trace.js'

export type Words = Int32Array<SharedArrayBuffer>

/** 16-bit words. The steps on them are those on words, with numbers up to 65535. */
export type Halves = Uint16Array

interface Operation {
  /** What its arguments after the index are, in order. */
  readonly takes: readonly ('value' | 'expected' | 'timeoutMs')[]
  act(words: Words, index: number, first: number, second: number): Step['result']
}

/** The operations on one word. `wait` and `notify` are the two that the model checker plays itself. */
export const operations = {
  load: { takes: [], act: (words, index) => Atomics.load(words, index) },
  store: {
    takes: ['value'],
    act: (words, index, value) => (Atomics.store(words, index, value), null),
  },
  add: { takes: ['value'], act: (words, index, value) => Atomics.add(words, index, value) },
  or: { takes: ['value'], act: (words, index, bits) => Atomics.or(words, index, bits) },
  and: { takes: ['value'], act: (words, index, mask) => Atomics.and(words, index, mask) },
  swap: { takes: ['value'], act: (words, index, value) => Atomics.exchange(words, index, value) },
  replace: {
    takes: ['expected', 'value'],
    act: (words, index, expected, value) =>
      Atomics.compareExchange(words, index, expected, value) === expected,
  },
  wait: {
    takes: ['expected', 'timeoutMs'],
    act: (words, index, expected, timeoutMs) => Atomics.wait(words, index, expected, timeoutMs),
  },
  notify: { takes: [], act: (words, index) => (Atomics.notify(words, index), null) },
  loadHalf: { takes: [], act: (words, index) => Atomics.load(words, index) },
  storeHalf: {
    takes: ['value'],
    act: (words, index, value) => (Atomics.store(words, index, value & 0xffff), null),
  },
} as const satisfies Record<string, Operation>

export type MemoryOp = keyof typeof operations

/**
 * Plain accesses of shared words, past the door: `words[index]`. Only the model checker sees them. They are
 * no steps of their own; that nobody else uses the word meanwhile is what `Protocol.holds` says.
 */
export const plain = {
  get: { takes: [], act: (words, index) => words[index] ?? 0 },
  put: {
    takes: ['value'],
    act: (words, index, value) => ((words[index] = value), null),
  },
} as const satisfies Record<string, Operation>

export type PlainOp = keyof typeof plain

/** Whoever decides what an operation does, in place of the real words. */
export interface Stepper {
  /** Takes an operation, and gives its result; or does not return. */
  step(op: MemoryOp | PlainOp, words: Words, index: number, args: readonly number[]): Step['result']
  /** Hears of new words. */
  allocated(words: Words): void
}

let stepper: Stepper | null = null

/** Runs a function with all operations of memory going to `next`. */
export function withStepper<Result>(next: Stepper, run: () => Result): Result {
  const before = stepper
  stepper = next
  try {
    return run()
  } finally {
    stepper = before
  }
}

/** New words, all zero. */
export function allocate(length: number): Words {
  const words = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
  if (stepper === null) return words
  stepper.allocated(words)
  const view = new Proxy(words, handler)
  views.set(words, view)
  behind.set(view, words)
  byMemory.set(words.buffer, words)
  return view
}

/** New halves, all zero, for a protocol: there the real code gets them from a guest. */
export function allocateHalves(length: number): Halves {
  const halves = new Uint16Array(length)
  stepper?.allocated(asWords(halves))
  return halves
}

/** Halves in the place of words: whoever uses them by operations on halves alone sees no difference. */
export function asWords(halves: Halves): Words {
  return halves as unknown as Words
}

/** What the code under the model checker has for words, by which plain accesses are seen. */
const views = new WeakMap<Words, Words>()
const behind = new WeakMap<Words, Words>()
/** Code that gets memory, as of a mapping, makes a view of its own, from its first word on. */
const byMemory = new WeakMap<ArrayBufferLike, Words>()

/** The words as the code under the model checker knows them. */
export function viewOf(words: Words): Words {
  return views.get(words) ?? words
}

const handler: ProxyHandler<Words> = {
  get(words, key) {
    if (isIndex(key)) return accessed('get', words, Number(key))
    const value: unknown = Reflect.get(words, key, words)
    return typeof value === 'function' ? (value.bind(words) as unknown) : value
  },
  set(words, key, value) {
    if (isIndex(key)) accessed('put', words, Number(key), Number(value) | 0)
    return isIndex(key)
  },
}

function isIndex(key: string | symbol): boolean {
  return typeof key === 'string' && /^\d+$/.test(key)
}

function accessed(op: PlainOp, words: Words, index: number, ...args: number[]): unknown {
  if (stepper === null) return act(op, words, index, args)
  return stepper.step(op, words, index, args)
}

/** Does an operation: as the model checker says where one runs, else really, and into the trace. */
export function perform<Op extends MemoryOp>(
  op: Op,
  words: Words,
  index: number,
  ...args: number[]
): ReturnType<(typeof operations)[Op]['act']> {
  type Result = ReturnType<(typeof operations)[Op]['act']>
  if (stepper !== null) {
    const known = behind.get(words) ?? byMemory.get(words.buffer) ?? words
    return stepper.step(op, known, index, args) as Result
  }
  const result = act(op, words, index, args)
  const takes: readonly string[] = operations[op].takes
  const named = Object.fromEntries(args.map((value, place) => [takes[place], value]))
  return record(op, index, result, named) as Result
}

/** Does an operation really, and leaves no trace. */
export function act(
  op: MemoryOp | PlainOp,
  words: Words,
  index: number,
  args: readonly number[],
): Step['result'] {
  const [first = 0, second = 0] = args
  const operation: Operation = op in plain ? plain[op as PlainOp] : operations[op as MemoryOp]
  return operation.act(words, index, first, second)
}
