/**
 * What every side's workers can do, beside `add`.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'

export const echo = (value: unknown): unknown => value

/**
 * Waits as one that awaits a service does. It is declared async because poolifier goes by that, not
 * by what a function returns.
 */
export async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Reads a file; its length is enough of an answer. */
export async function read(file: string): Promise<number> {
  return (await readFile(file)).length
}

/** Computes. */
export function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Takes the thread away from everything else, and no CPU. */
export function block(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}

const beatMs = 50
let beating = false
let count = 0

/**
 * How often an interval has fired that does not keep its thread alive, such as that of a library
 * that exports metrics. The first call sets it, so that it is not there in other measures.
 */
export function beats(): number {
  if (!beating) setInterval(() => count++, beatMs).unref()
  beating = true
  return count
}
