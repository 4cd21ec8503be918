/**
 * Handlers of the programs in this folder.
 *
 * @module
 */
import { once } from 'node:events'
import { openSync, writeSync } from 'node:fs'
import { current } from 'userworker/current'

/** Computes for so long, not counting time in which its thread stood still. */
export function compute(ms: number): void {
  let last = performance.now()
  for (let ran = 0; ran < ms;) {
    const now = performance.now()
    ran += Math.min(now - last, 20)
    last = now
  }
}

/** Takes at least so long of time in which its thread ran, with little use of a CPU. */
export function linger(ms: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  for (let passed = 0; passed < ms; passed += 20) Atomics.wait(cell, 0, 0, 20)
}

/** A work that counts how often it ran, and checks that its key's works come in order, one at a time. */
export function step(runs: Int32Array, id: number, line: Int32Array, place: number): string {
  Atomics.add(runs, id, 1)
  const inside = Atomics.add(line, 1, 1)
  compute(3)
  Atomics.sub(line, 1, 1)
  const before = Atomics.exchange(line, 0, place)
  return inside === 0 && before === place - 1 ? 'in order' : `${inside} inside, ${before} before`
}

/** Returns when so many works are here at once: they are on as many workers. */
export function meet(count: number, words: Int32Array): void {
  if (Atomics.add(words, 0, 1) + 1 === count) Atomics.notify(words, 0)
  for (let seen = 0; (seen = Atomics.load(words, 0)) < count;) Atomics.wait(words, 0, seen)
}

/** Beats in a file, for ever: who reads it sees whether the thread runs. */
export function beat(file: number, stop: Int32Array): number {
  for (let count = 1; ; count++) {
    writeSync(file, String(count).padStart(12), 0)
    Atomics.wait(stop, 0, 0, 5)
    if (Atomics.load(stop, 0) !== 0) return count
  }
}

/** Says that it began, and computes for so long. */
export function computeFrom(began: Int32Array, ms: number): string {
  Atomics.add(began, 0, 1)
  compute(ms)
  return 'computed'
}

/** Says that it began, and waits until it is told to end. */
export async function untilTold(began: Int32Array): Promise<string> {
  Atomics.add(began, 0, 1)
  const { signal } = current()
  if (!signal.aborted) await once(signal, 'abort')
  return 'told'
}

/** Says that it began, and never ends. */
export function spin(began: Int32Array): void {
  Atomics.add(began, 0, 1)
  for (;;);
}

/** Says that it began, and waits in shared memory, for ever. */
export function wait(began: Int32Array): void {
  Atomics.add(began, 0, 1)
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** Says that it began, and waits in the system until somebody writes to the FIFO. */
export function openFifo(began: Int32Array, path: string): void {
  Atomics.add(began, 0, 1)
  openSync(path, 'r')
}

/** Counts how often it ran, and keeps its thread for so long without using it. */
export function rest(runs: Int32Array, id: number, ms: number): string {
  Atomics.add(runs, id, 1)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return 'rested'
}
