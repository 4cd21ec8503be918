/**
 * `Atomics`, as a simulated thread has it: each call is a step.
 *
 * @module
 */
import type { Machine } from './machine.js'
import type { Thread } from './thread.js'

type Words = Int32Array<SharedArrayBuffer>

/** Hears of each change of a shared word, and whether the word was just written. */
export type Watch = (
  words: Words,
  index: number,
  before: number,
  after: number,
  isStore: boolean,
) => void

/** @returns what takes the place of `Atomics` in the thread */
export function atomicsOf(machine: Machine, thread: Thread, watch: Watch): object {
  const changed = (words: Words, index: number, before: number, isStore = false): number => {
    const after = words[index] as number
    if (after !== before) watch(words, index, before, after, isStore)
    return before
  }
  return {
    load(words: Words, index: number): number {
      machine.step(thread)
      return Atomics.load(words, index)
    },
    store(words: Words, index: number, value: number): void {
      machine.step(thread)
      changed(words, index, Atomics.exchange(words, index, value), true)
    },
    add(words: Words, index: number, value: number): number {
      machine.step(thread)
      return changed(words, index, Atomics.add(words, index, value))
    },
    or(words: Words, index: number, bits: number): number {
      machine.step(thread)
      return changed(words, index, Atomics.or(words, index, bits))
    },
    and(words: Words, index: number, mask: number): number {
      machine.step(thread)
      return changed(words, index, Atomics.and(words, index, mask))
    },
    exchange(words: Words, index: number, value: number): number {
      machine.step(thread)
      return changed(words, index, Atomics.exchange(words, index, value))
    },
    compareExchange(words: Words, index: number, expected: number, value: number): number {
      machine.step(thread)
      return changed(words, index, Atomics.compareExchange(words, index, expected, value))
    },
    wait(words: Words, index: number, expected: number, timeoutMs = Infinity): string {
      machine.step(thread)
      if (Atomics.load(words, index) !== expected) return 'not-equal'
      return machine.wait(thread, words.buffer, words.byteOffset + 4 * index, timeoutMs)
    },
    notify(words: Words, index: number): number {
      machine.step(thread)
      machine.notify(words.buffer, words.byteOffset + 4 * index)
      return 0
    },
  }
}
