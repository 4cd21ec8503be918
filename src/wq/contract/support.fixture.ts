/**
 * What the parts of the contract suite share.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test as nodeTest } from 'node:test'
import type { WorkQueue, WorkQueueOptions } from '../../index.js'
import { until } from '../../os/own-thread.fixture.js'
import type * as Handlers from '../handlers.fixture.js'
import type { Meeting } from '../handlers.fixture.js'

/**
 * Gives a queue of the version under test, on the handlers of `handlers.fixture.ts` unless told
 * otherwise.
 */
export type Make = (options?: WorkQueueOptions, module?: URL | string) => WorkQueue<typeof Handlers>

/** Promises that the version under test cannot keep, by their titles, and why. */
export type LeftOut = Readonly<Record<string, string>>

let leftOut: LeftOut = {}

/** Leaves tests of the suite out: to be called before they are defined. */
export function leaveOut(titles: LeftOut): void {
  leftOut = titles
}

/** A test of the suite. */
export function test(title: string, run: () => Promise<void> | void): void {
  nodeTest(title, { skip: leftOut[title] ?? false }, run)
}

export type Coded = Error & { code?: string; exitCode?: number }

/** Shared words, all zero. */
export const word = (length = 1): Int32Array => allot(length)

let allot = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length))

/** Has words made otherwise, where shared buffers do not reach the handlers. */
export function wordsFrom(make: (length: number) => Int32Array): void {
  allot = make
}

/** A meeting that remembers in which order so many works began. */
export const meeting = (works: number): Meeting => ({
  now: word(),
  most: word(),
  order: word(works + 1),
})

/** A module with this text. */
export const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

/** The error of a promise that must reject. */
export function failureOf(promise: Promise<unknown>): Promise<Coded> {
  return promise.then(
    () => assert.fail('must reject'),
    (error: unknown) => error as Coded,
  )
}

/** Waits until a handler has marked the word. */
export function marked(mark: Int32Array): Promise<void> {
  return until('a handler has marked the word', () => Atomics.load(mark, 0) !== 0)
}

/** Makes so many workers of a queue, and waits until each has run a work and is idle. */
export async function withAllWorkers(
  queue: ReturnType<Make>,
  { bounded, unbounded = 0 }: { readonly bounded: number; readonly unbounded?: number },
): Promise<void> {
  const [gate, count] = [word(), bounded + unbounded]
  const works = Array.from({ length: count }, (_, index) =>
    queue.run('waitFor', [gate], { unbounded: index >= bounded }),
  )
  const busy = (): number => queue.workers().filter(({ state }) => state === 'busy').length
  await until(`${count} workers are busy`, () => busy() === count)
  Atomics.store(gate, 0, 1)
  await Promise.all(works)
}
