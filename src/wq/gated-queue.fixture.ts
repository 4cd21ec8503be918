/**
 * Queues on the handlers of `gates.fixture.ts`, and what their tests share.
 *
 * @module
 */
import { WorkQueue, type WorkQueueOptions } from '../index.js'
import { until } from '../os/own-thread.fixture.js'
import type * as Gates from './gates.fixture.js'

export type Queue = WorkQueue<typeof Gates>

export function make(options: WorkQueueOptions = {}): Queue {
  return new WorkQueue(new URL('./gates.fixture.js', import.meta.url), options)
}

/** Lets everybody go who waits at a gate. */
export function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
}

/** Waits until a word has counted so far. */
export function reaches(word: Int32Array, count: number): Promise<void> {
  return until(`it counts to ${count}`, () => Atomics.load(word, 0) >= count)
}

/** Why each of the workers was made. */
export function reasons(queue: Queue): string[] {
  return queue.workers().map(({ reason }) => reason)
}

/** Long enough for a thread to be made, were one wanted. */
export function aWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 120))
}

/** Holds this thread as long as this is not so. */
export function untilSync(isSo: () => boolean): void {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  while (!isSo()) Atomics.wait(nobody, 0, 0, 1)
}

/** Numbers from 0. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, mark) => mark)

/** Who ran, in order, as `note` wrote it down. */
export function noted(order: Int32Array): number[] {
  return Array.from(order.subarray(1, 1 + Math.min(order.length - 1, order[0] as number)))
}
