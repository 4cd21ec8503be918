/**
 * The door to shared memory: the only file of the library that names `Atomics`.
 *
 * Everything behind it is a static function, which costs nothing (measured), and the whole module
 * can be replaced through the package import `#memory`: a run with `--conditions=userworker-model`
 * gets a double that sees every step. All other code writes `import * as memory from '#memory'`.
 *
 * @module
 */

/**
 * Shared 32-bit words. Always of fixed length: growable buffers are ten times slower (measured).
 */
export type Words = Int32Array<SharedArrayBuffer>

/** New shared words, all zero. */
export function allocate(length: number): Words {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}

/** The value of a word; everything its writer did before it wrote is visible afterwards. */
export function load(words: Words, index: number): number {
  return Atomics.load(words, index)
}

/** Writes a word; everything this thread did before is visible to whoever reads that value. */
export function store(words: Words, index: number, value: number): void {
  Atomics.store(words, index, value)
}

/** Adds and gives the value from before. */
export function add(words: Words, index: number, value: number): number {
  return Atomics.add(words, index, value)
}

/** Sets bits and gives the value from before. */
export function or(words: Words, index: number, bits: number): number {
  return Atomics.or(words, index, bits)
}

/** Clears the bits that `mask` has not, and gives the value from before. */
export function and(words: Words, index: number, mask: number): number {
  return Atomics.and(words, index, mask)
}

/** Writes a word and gives the value from before, in one step. */
export function swap(words: Words, index: number, value: number): number {
  return Atomics.exchange(words, index, value)
}

/** Writes `value` if the word holds `expected`; true if it did. */
export function replace(words: Words, index: number, expected: number, value: number): boolean {
  return Atomics.compareExchange(words, index, expected, value) === expected
}

/** Blocks this thread while the word holds `expected`, for at most `timeoutMs`. */
export function wait(
  words: Words,
  index: number,
  expected: number,
  timeoutMs: number,
): 'ok' | 'not-equal' | 'timed-out' {
  return Atomics.wait(words, index, expected, timeoutMs)
}

/** Wakes every thread that waits on the word. */
export function notify(words: Words, index: number): void {
  Atomics.notify(words, index)
}

/** 16-bit words of memory that is shared with others, or mapped: those of rings that a guest knows. */
export type Halves = Uint16Array

/** The value of a 16-bit word; everything its writer did before it wrote is visible afterwards. */
export function loadHalf(halves: Halves, index: number): number {
  return Atomics.load(halves, index)
}

/**
 * Writes a 16-bit word; everything this thread did before is visible to whoever reads that value. No load
 * of this door that follows is done before it.
 */
export function storeHalf(halves: Halves, index: number, value: number): void {
  Atomics.store(halves, index, value)
}
