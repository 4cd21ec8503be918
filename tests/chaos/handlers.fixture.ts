/**
 * Handlers of the programs in this folder.
 *
 * @module
 */
import { writeSync } from 'node:fs'

/** Computes for so long, not counting time in which its thread stood still. */
export function compute(ms: number): void {
  let last = performance.now()
  for (let ran = 0; ran < ms;) {
    const now = performance.now()
    ran += Math.min(now - last, 20)
    last = now
  }
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
