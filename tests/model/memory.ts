/**
 * The double of `src/os/memory.ts`. A process, or a thread, that runs with `--conditions=userworker-model`
 * gets it for `#memory`: each call does what the real door does, and leaves a step in the trace. Inside the
 * model checker each call is a step of the protocol that is checked (`engine/`).
 *
 * @module
 */
import { asWords, perform, type Halves, type Words } from './operations.js'

export { allocate, type Halves, type Words } from './operations.js'

export function load(words: Words, index: number): number {
  return perform('load', words, index)
}

export function store(words: Words, index: number, value: number): void {
  perform('store', words, index, value)
}

export function add(words: Words, index: number, value: number): number {
  return perform('add', words, index, value)
}

export function or(words: Words, index: number, bits: number): number {
  return perform('or', words, index, bits)
}

export function and(words: Words, index: number, mask: number): number {
  return perform('and', words, index, mask)
}

export function swap(words: Words, index: number, value: number): number {
  return perform('swap', words, index, value)
}

export function replace(words: Words, index: number, expected: number, value: number): boolean {
  return perform('replace', words, index, expected, value)
}

export function wait(
  words: Words,
  index: number,
  expected: number,
  timeoutMs: number,
): 'ok' | 'not-equal' | 'timed-out' {
  return perform('wait', words, index, expected, timeoutMs)
}

export function notify(words: Words, index: number): void {
  perform('notify', words, index)
}

export function loadHalf(halves: Halves, index: number): number {
  return perform('loadHalf', asWords(halves), index)
}

export function storeHalf(halves: Halves, index: number, value: number): void {
  perform('storeHalf', asWords(halves), index, value)
}

// Compiles only while this module and the real one have the same exports of the same types.
type Door = typeof import('../../src/os/memory.js')
type Double = typeof import('./memory.js')
type Same<A, B> = [A, B] extends [B, A] ? true : never
true satisfies Same<Door, Double>
true satisfies Same<Words, import('../../src/os/memory.js').Words>
