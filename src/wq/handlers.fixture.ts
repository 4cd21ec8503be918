/**
 * The handlers of the contract suite.
 *
 * @module
 */
import { current, transfer } from './current.js'

let data: unknown
let setups = 0

export async function setup(given: unknown): Promise<void> {
  data = given
  setups++
}

export function teardown(): void {
  const { tornDown } = (data ?? {}) as { tornDown?: Int32Array }
  if (tornDown) Atomics.add(tornDown, 0, 1)
}

export const notAFunction = 3

export function add(a: number, b: number): number {
  return a + b
}

export function echo<T>(value: T): T {
  return value
}

export function nothing(): void {}

export function setupSeen(): { setups: number; data: unknown } {
  return { setups, data }
}

export function count(counter: Int32Array): number {
  return Atomics.add(counter, 0, 1) + 1
}

/**
 * Where works meet to see each other: how many run now, the most that ever did, and in which order
 * they began.
 */
export interface Meeting {
  readonly now: Int32Array
  readonly most: Int32Array
  readonly order: Int32Array
}

/** Runs for a while, alone or not, and says so. */
export async function meet({ now, most, order }: Meeting, mark: number, ms: number): Promise<void> {
  const running = Atomics.add(now, 0, 1) + 1
  for (let seen = Atomics.load(most, 0); seen < running; seen = Atomics.load(most, 0)) {
    Atomics.compareExchange(most, 0, seen, running)
  }
  const place = Atomics.add(order, 0, 1) + 1
  if (place < order.length) Atomics.store(order, place, mark)
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  Atomics.sub(now, 0, 1)
}

export async function sleep(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
}

/** Waits until the word is not 0. */
export async function waitFor(word: Int32Array): Promise<number> {
  while (Atomics.load(word, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  return Atomics.load(word, 0)
}

/**
 * Marks the word, and ends only when the work's signal is aborted; gives the reason, or its code.
 */
export async function untilAborted(begun: Int32Array): Promise<unknown> {
  const { signal } = current()
  const aborted = new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true })
  })
  Atomics.store(begun, 0, 1)
  await aborted
  return (signal.reason as { code?: string }).code ?? signal.reason
}

export function spin(begun?: Int32Array): never {
  if (begun) Atomics.store(begun, 0, 1)
  for (;;);
}

export function exit(code: number): never {
  process.exit(code)
}

export async function throwInTimer(message: string): Promise<never> {
  setTimeout(() => {
    throw new RangeError(message)
  }, 1)
  return new Promise(() => {})
}

export async function rejectUnhandled(message: string): Promise<never> {
  void Promise.reject(new RangeError(message))
  return new Promise(() => {})
}

export function fillHeap(): never {
  // Small objects: where one large allocation fails, V8 ends the process and not the thread.
  let all: unknown = null
  for (;;) all = { all }
}

export function overflow(): number {
  return 1 + overflow()
}

class OwnError extends RangeError {
  override name = 'OwnError'
  code = 'E_OWN'
  details = { list: [1, 2] }
}

export function fail(kind: 'own' | 'many' | 'text'): never {
  // oxlint-disable-next-line typescript/only-throw-error
  if (kind === 'text') throw 'text'
  if (kind === 'many')
    throw new AggregateError([new TypeError('one'), new RangeError('two')], 'many')
  throw new OwnError('no', { cause: new TypeError('why') })
}

export function uncloneable(): unknown {
  return { method: () => {} }
}

export function throwingGetter(): unknown {
  return {
    get value(): never {
      throw new RangeError('from the getter')
    },
  }
}

export function moved(bytes: Uint8Array): Uint8Array {
  return transfer(bytes, [bytes.buffer as ArrayBuffer])
}

export async function identity(ms: number): Promise<{ name: string; id: number; key: unknown }> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  const { name, id, key } = current()
  return { name, id, key }
}
