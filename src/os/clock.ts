/**
 * The door to time: the only file of the library that reads a clock or sets a timer.
 *
 * The clocks are Node's own, whatever a program puts in their place globally: tests with a clock of
 * their own would hold up workers, and a browser's timers (jsdom) keep no process alive.
 *
 * @module
 */
import {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} from 'node:timers'

// As quick as `performance.now`, which takes ten modules of Node to load, and the same in all threads.
const { hrtime } = process

/** A timer that can be called off. */
export interface Timer {
  cancel(): void
}

/**
 * The longest time a timer takes, in milliseconds (2^31 - 1: about 24.8 days); Node fires longer
 * ones at once.
 */
export const longestTimeoutMs: number = 2 ** 31 - 1

/** Milliseconds on a clock that never goes back and is the same in every thread of the process. */
export function now(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Microseconds of the same clock, modulo 2^32. */
export function microseconds(): number {
  const [seconds, nanoseconds] = hrtime()
  // Below 2^53 for 285 years.
  return (seconds * 1e6 + Math.floor(nanoseconds / 1e3)) | 0
}

/** Calls `run` once, `ms` milliseconds from now. The timer itself keeps no process alive. */
export function after(ms: number, run: () => void): Timer {
  const timer = setTimeout(run, ms)
  timer.unref()
  return { cancel: () => clearTimeout(timer) }
}

/**
 * Like {@link after}, for ends of patience: when the time has passed, what arrived meanwhile is
 * heard first. So a thread or process that stood still for a while does not give up on an answer
 * that is already there.
 */
export function deadline(ms: number, run: () => void): Timer {
  let lastTurn: NodeJS.Immediate | undefined
  const timer = after(ms, () => {
    lastTurn = setImmediate(run)
  })
  return {
    cancel: () => {
      timer.cancel()
      clearImmediate(lastTurn)
    },
  }
}

/** Calls `run` every `ms` milliseconds. The timer itself keeps no process alive. */
export function every(ms: number, run: () => void): Timer {
  const timer = setInterval(run, ms)
  timer.unref()
  return { cancel: () => clearInterval(timer) }
}

/** Keeps this thread's event loop alive until it is called off. */
export function keepAlive(): Timer {
  const timer = setInterval(() => {}, longestTimeoutMs)
  return { cancel: () => clearInterval(timer) }
}

/** Calls `run` at the next turn of the event loop, after input and output that is ready now. */
export function onNextTurn(run: () => void): void {
  setImmediate(run)
}

/** Resolves at the next turn of the event loop, after input and output that is ready now. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

const getTime: unknown = Object.getOwnPropertyDescriptor(Date.prototype, 'getTime')?.value
const timeOfDate = Function.prototype.call.bind(getTime as () => number) as (date: Date) => number

/** The milliseconds of a date; NaN for an invalid one. No clock is read. */
export function timeOf(date: Date): number {
  return timeOfDate(date)
}

/** The date of so many milliseconds. No clock is read. */
export function dateOf(time: number): Date {
  return new Date(time)
}
