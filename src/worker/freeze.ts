/**
 * Freezing what is below a row, from the side of whoever asks (SG-8, SG-10).
 *
 * The request is one flag in one row. Every thread below looks for it in the rows above its own, so
 * workers that are made later freeze too, and a thaw of the one row thaws all. A thread is told to
 * look by its bell, which anyone can ring, and, since it may sleep in its event loop, by a message,
 * which only the thread that made it can send. So a thread that is about to stand passes the word on
 * to its own workers first.
 *
 * Who ends the wait: the threads' messages that they stand, or their ends; for workers of workers,
 * which send theirs elsewhere, a look every few milliseconds; and the deadline.
 *
 * @module
 */
import type { Words } from '#memory'
import { invalid } from '../errors.js'
import { deadline, every } from '../os/clock.js'
import { Pending } from '../os/pending.js'
import { checkOptions, checkTimeMs } from '../validate.js'
import { ask, controlOf, isStanding, ring } from './control.js'
import { Flag, hasFlag } from './state.js'
import { isWorker, workersBelow } from './table.js'

/** How a freeze is to be done. */
export interface FreezeOptions {
  /**
   * `work` (the default): works that run are finished first; a loop stands between two batches, and a
   * plain function where it calls `self.checkpoint()` or sleeps. `anywhere`: also in the middle of a
   * work, at its next `checkpoint()` or turn of the event loop.
   */
  at?: 'work' | 'anywhere'
  /** How long to wait until all stand, in milliseconds. Default 5,000. */
  deadlineMs?: number
}

/** A worker that does not stand yet. */
export interface Laggard {
  readonly name: string
  /** The thread's id in the operating system; null where the system has none to show. */
  readonly osThreadId: number | null
  /** What it does, in words. */
  readonly where: string
}

/** What became of a freeze by its deadline. */
export interface FreezeReport {
  /** Those that do not stand yet, and will as soon as they can. Empty: all stand. */
  readonly laggards: readonly Laggard[]
}

const defaultDeadlineMs = 5000
/** Workers of workers are looked at so often. */
const lookEveryMs = 5

/** The waits of this thread: each looks again when a thread has told that it stands. */
const waits = new Set<() => void>()

/** A thread that this one made stands, or has ended. */
export function stood(): void {
  for (const look of waits) look()
}

/**
 * Checks the options of `freeze`.
 *
 * @throws TypeError EINVAL
 */
export function checkFreeze(options: FreezeOptions): Required<FreezeOptions> {
  checkOptions('freeze', options, ['at', 'deadlineMs'])
  const { at = 'work', deadlineMs = defaultDeadlineMs } = options
  if (at !== 'work' && at !== 'anywhere') {
    throw invalid(`freeze: at must be 'work' or 'anywhere', not ${String(at)}`)
  }
  checkTimeMs('freeze: deadlineMs', deadlineMs)
  return { at, deadlineMs }
}

/** The workers that a row's requests are for: itself, if it is one, and those below. */
export function workersOf(words: Words, row: number): number[] {
  const rows = workersBelow(words, row)
  return row > 0 && isWorker(words, row) ? [row, ...rows] : rows
}

/**
 * Freezes what is below a row, and waits until all of it stands.
 *
 * @param look - sends the message 'look' to the workers below the row that this thread has made
 * @returns the rows that do not stand by the deadline
 */
export async function freezeBelow(
  words: Words,
  row: number,
  { at, deadlineMs }: Required<FreezeOptions>,
  look: () => void,
): Promise<number[]> {
  ask(words, row, at === 'work' ? 'freeze' : 'freeze-anywhere')
  for (const each of workersOf(words, row)) ring(words, each)
  look()
  const pending = new Pending<number[]>('a freeze')
  const late = (): number[] => workersOf(words, row).filter((each) => !isStanding(words, each))
  // What is seen to stand stands on, though its word may say for a moment that it does not: a thread
  // that goes on after the thaw before this freeze sees this one first (`stand`).
  const settle = (): void => {
    const rows = late()
    if (rows.length === 0 || !hasFlag(controlOf(words, row), Flag.FREEZE)) pending.resolve(rows)
  }
  const ticks = every(lookEveryMs, settle)
  const limit = deadline(deadlineMs, () => pending.resolve(late()))
  waits.add(settle)
  settle()
  try {
    return await pending.promise
  } finally {
    waits.delete(settle)
    ticks.cancel()
    limit.cancel()
  }
}

/** Lets what is below a row go on. @returns whether it was frozen */
export function thawBelow(words: Words, row: number): boolean {
  const wasFrozen = hasFlag(controlOf(words, row), Flag.FREEZE)
  ask(words, row, 'thaw')
  // They stand, and hear the bell.
  for (const each of workersOf(words, row)) ring(words, each)
  return wasFrozen
}
