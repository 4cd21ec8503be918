/**
 * Handlers that end in every way there is, beside those of the contract suite.
 *
 * @module
 */
import { threadId } from 'node:worker_threads'
import { current } from './current.js'

export * from './handlers.fixture.js'

/** Marks the word, and does not end: it yields to the event loop, and minds no signal. */
export async function deaf(begun: Int32Array): Promise<never> {
  Atomics.store(begun, 0, 1)
  return new Promise(() => {})
}

/** Marks the word, and ends at the first checkpoint after it was cancelled. */
export function checking(begun: Int32Array): never {
  Atomics.store(begun, 0, 1)
  for (;;) current().checkpoint()
}

/** As {@link checking}; says what it was stopped with instead of throwing it. */
export function checkingCode(begun: Int32Array): unknown {
  try {
    return checking(begun)
  } catch (error) {
    return (error as { code?: string }).code
  }
}

/** Computes for a while. */
export function busy(ms: number): number {
  const end = performance.now() + ms
  while (performance.now() < end);
  return ms
}

/** Whether its signal is aborted by the time it is called, or will be. */
export async function told(): Promise<boolean> {
  const { signal } = current()
  if (signal.aborted) return true
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(true), { once: true })
  })
}

export function thread(): number {
  return threadId
}

/** Counts its call, and says which thread it was. */
export function countOn(counter: Int32Array): number {
  Atomics.add(counter, 0, 1)
  return threadId
}

/** Counts that it began, waits for the gate, and counts that it ended. */
export async function pass(
  begun: Int32Array,
  gate: Int32Array,
  ended: Int32Array,
): Promise<number> {
  Atomics.add(begun, 0, 1)
  while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  return Atomics.add(ended, 0, 1) + 1
}

/** Marks its place in a list of words: how often it began. */
export function mark(begun: Int32Array, place: number, ended: Int32Array, ms = 0): number {
  Atomics.add(begun, place, 1)
  if (ms > 0) busy(ms)
  Atomics.add(ended, place, 1)
  return place
}

/** As {@link mark}, with an await between. */
export async function markLater(
  begun: Int32Array,
  place: number,
  ended: Int32Array,
): Promise<number> {
  Atomics.add(begun, place, 1)
  await new Promise((resolve) => setImmediate(resolve))
  Atomics.add(ended, place, 1)
  return place
}

/** As {@link mark}; ends the thread instead of ending. */
export function markAndExit(begun: Int32Array, place: number): never {
  Atomics.add(begun, place, 1)
  process.exit(1)
}

/** As {@link mark}; never ends. */
export function markAndSpin(begun: Int32Array, place: number): never {
  Atomics.add(begun, place, 1)
  for (;;);
}

/** The bytes it was given, filled with a number once the gate is open. */
export async function readLater(bytes: unknown, gate: Int32Array): Promise<unknown> {
  while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  return bytes
}

const held: unknown[] = []

/** Takes memory and keeps it, and says which thread it was. */
export function hoard(megabytes: number): number {
  for (let count = 0; count < megabytes; count++) held.push(Buffer.alloc(2 ** 20, 1))
  return threadId
}

export function progress(count: number): number {
  for (let step = 0; step < count; step++) current().progress({ step })
  return count
}

/** Gives so many items, and counts those it was asked for. */
export function* items(count: number, asked?: Int32Array): Generator<number> {
  for (let item = 0; item < count; item++) {
    if (asked) Atomics.add(asked, 0, 1)
    yield item
  }
}

/** Gives items that come later, for ever; marks the word when it is left. */
export async function* endless(left: Int32Array): AsyncGenerator<{ item: number }> {
  try {
    for (let item = 0; ; item++) {
      if (item % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      yield { item }
    }
  } finally {
    Atomics.store(left, 0, 1)
  }
}

export async function* itemsThenFail(count: number): AsyncGenerator<number> {
  for (let item = 0; item < count; item++) yield item
  throw new RangeError(`after ${count}`)
}

export function* itemsThenExit(count: number): Generator<number> {
  for (let item = 0; item < count; item++) yield item
  process.exit(4)
}

/** Gives one item that cannot be sent. */
export function* itemOfFunction(): Generator {
  yield 1
  yield () => {}
}
