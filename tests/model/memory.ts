/**
 * The double of `src/os/memory.ts`. A process, or a thread, that runs with `--conditions=userworker-model`
 * gets it for `#memory`: each call does what the real door does, and leaves a step in the trace.
 *
 * @module
 */
import { record } from './trace.js'

export type Words = Int32Array<SharedArrayBuffer>

export function allocate(length: number): Words {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}

export function load(words: Words, index: number): number {
  return record('load', index, Atomics.load(words, index))
}

export function store(words: Words, index: number, value: number): void {
  Atomics.store(words, index, value)
  record('store', index, null, { value })
}

export function add(words: Words, index: number, value: number): number {
  return record('add', index, Atomics.add(words, index, value), { value })
}

export function or(words: Words, index: number, bits: number): number {
  return record('or', index, Atomics.or(words, index, bits), { value: bits })
}

export function replace(words: Words, index: number, expected: number, value: number): boolean {
  const held = Atomics.compareExchange(words, index, expected, value) === expected
  return record('replace', index, held, { value, expected })
}

export function wait(
  words: Words,
  index: number,
  expected: number,
  timeoutMs: number,
): 'ok' | 'not-equal' | 'timed-out' {
  return record('wait', index, Atomics.wait(words, index, expected, timeoutMs), { expected })
}

export function notify(words: Words, index: number): void {
  Atomics.notify(words, index)
  record('notify', index, null)
}

// Compiles only while this module and the real one have the same exports of the same types.
type Door = typeof import('../../src/os/memory.js')
type Double = typeof import('./memory.js')
type Same<A, B> = [A, B] extends [B, A] ? true : never
true satisfies Same<Door, Double>
true satisfies Same<Words, import('../../src/os/memory.js').Words>
