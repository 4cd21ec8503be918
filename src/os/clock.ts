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
 * While deadlines are open, the thread looks from time to time whether it runs: so often, in
 * milliseconds, while the shortest of them is below `forMs`. Looking costs CPU time, and a long
 * deadline can be off by more than a short one.
 */
const paces = [
  { tickMs: 50, forMs: 4000 },
  { tickMs: 200, forMs: 40_000 },
  { tickMs: 1000, forMs: Infinity },
].map((pace) => ({ ...pace, open: 0 }))

let ticker: Timer | null = null
let tickMs = 0
/** When the thread was last seen to run, and since when it was. */
let seenMs = 0
let sinceMs = 0
let lost = 0

/**
 * How many milliseconds this thread has stood still, as far as it was seen while a deadline was open:
 * its process was stopped or frozen, the machine slept, or something held up the event loop. Only the
 * difference of two answers says something.
 */
export function lostMs(): number {
  if (ticker === null) return lost
  const at = now()
  const gap = at - seenMs
  // Two looks that are not held apart by a busy system alone.
  if (gap > 2 * tickMs) {
    // A thread that is held up again and again does run in between: a tick for each time.
    lost += gap - Math.max(0, tickMs - (seenMs - sinceMs))
    sinceMs = at
  }
  seenMs = at
  return lost
}

/** Like {@link now}, but while a deadline is open, time in which this thread stood still is left out. */
export function runTime(): number {
  const stoodStill = lostMs()
  return now() - stoodStill
}

/** A deadline of so many milliseconds opens. @returns what closes it, once */
function openDeadline(ms: number): () => void {
  const pace = paces.find(({ forMs }) => ms < forMs) as (typeof paces)[0]
  pace.open++
  if (ticker === null) {
    seenMs = now()
    sinceMs = seenMs - pace.tickMs
    lookAfter(pace.tickMs)
  } else if (pace.tickMs < tickMs) {
    lostMs()
    ticker.cancel()
    lookAfter(pace.tickMs)
  }
  let isOpen = true
  return () => {
    if (isOpen) pace.open--
    isOpen = false
  }
}

function lookAfter(ms: number): void {
  tickMs = ms
  ticker = after(ms, () => {
    lostMs()
    // Not when the last deadline closes: the next one comes soon, where there was one.
    const wanted = paces.find(({ open }) => open > 0)
    if (wanted === undefined) ticker = null
    else lookAfter(wanted.tickMs)
  })
}

/**
 * Like {@link after}, for ends of patience. Only time in which this thread ran counts, see {@link
 * lostMs}; and when the time has passed, what arrived meanwhile is heard first. So a thread or process
 * that stood still for a while does not give up on an answer that is there, or would be.
 */
export function deadline(ms: number, run: () => void): Timer {
  const close = openDeadline(ms)
  const begun = runTime()
  let lastTurn: NodeJS.Immediate | undefined
  const pass = (): void => {
    const left = ms - (runTime() - begun)
    // Timers count whole milliseconds, and some fire a part of one early.
    if (left >= 1) timer = after(Math.ceil(left), pass)
    else {
      lastTurn = setImmediate(() => {
        close()
        run()
      })
    }
  }
  let timer = after(ms, pass)
  return {
    cancel: () => {
      close()
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
