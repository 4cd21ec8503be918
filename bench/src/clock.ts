/**
 * Time. The clock is the same in every thread of the machine, so that what one thread did can be
 * timed by another.
 *
 * @module
 */

/** Nanoseconds. */
export const nanoseconds = (): bigint => process.hrtime.bigint()

/** Microseconds from one reading of the clock to another, or to now. */
export function microseconds(from: bigint, to: bigint = nanoseconds()): number {
  return Number(to - from) / 1000
}

/** Lets the event loop turn for a while, as an owner does that waits for something else. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread. */
export function block(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}
