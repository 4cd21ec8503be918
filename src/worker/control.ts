/**
 * The protocols between an owner and its worker's thread, over the words of the worker's row. No
 * threads, no messages, no clocks: the model checker runs these functions through every interleaving
 * (`tests/model/`).
 *
 * Two words carry them. `CONTROL` says what is asked and what is answered (`state.ts`). `SEQUENCE`
 * is the bell: it moves after each change that the thread must see, and each wait of the thread is a
 * wait on it. Whoever asks changes the word first and rings second; whoever waits reads the bell
 * first and the word second. So either the change is seen, or the bell has moved and the wait
 * returns at once: no wake can be lost (INV-KT-5).
 *
 * A thread that waits in its event loop cannot wait on a word; it is woken by a message. `DOZING`
 * says so, that a thread which is awake gets none.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'
import { after, Flag, hasFlag, move, State, stateOf, take, type OwnerStep } from './state.js'
import { at, Field, lineOf, number, parentOf } from './table.js'

/** What the owner asks for by {@link ask}. */
export type Request = Exclude<OwnerStep, 'rouse'>

/** The control word of a row, as it is now. */
export function controlOf(words: Words, row: number): number {
  return memory.load(words, at(row, Field.CONTROL))
}

/**
 * Owner: asks for something, and rings if that changed anything. The thread may stand in its event
 * loop at any time, so the caller then sends the message 'look' as well.
 *
 * @returns the word that the request was judged by; `after(word, request)` tells whether it counts
 */
export function ask(words: Words, row: number, request: Request): number {
  const word = move(words, at(row, Field.CONTROL), request)
  if (after(word, request) !== null) ring(words, row)
  return word
}

/**
 * Owner: gives a booted spare the number of the worker it is to be. The thread becomes it by the step
 * 'adopt', when the message that says what it is to be arrives.
 *
 * @returns false when there is no spare: it has ended
 */
export function nominate(words: Words, row: number): boolean {
  if (stateOf(controlOf(words, row)) !== State.SPARE) return false
  // Whoever reads a number of a row in state SPARE knows that it is nobody's yet.
  number(words, row)
  return true
}

/** What became of a request to park, judged by the control word that it met (KT-20). */
export type ParkOutcome =
  /** The thread stands still already, and now stays where it is. */
  | 'parked'
  /** The thread will answer 'parked', unless a stop or an unpark comes first. */
  | 'asked'
  /** It is told to park already. */
  | 'busy'
  /** It has exited, or is told to stop. */
  | 'exiting'

/** Owner: asks the thread to stand still at its next signal point (KT-20). */
export function askToPark(words: Words, row: number): ParkOutcome {
  const word = ask(words, row, 'park')
  if (after(word, 'park') === null) return hasFlag(word, Flag.PARK) ? 'busy' : 'exiting'
  // The thread leaves its place only by a swap that fails while PARK is set: it has not moved.
  return hasFlag(word, Flag.PARKED) ? 'parked' : 'asked'
}

/** Owner: whether the thread stands still, and stays until somebody lets it go. */
export function isParked(words: Words, row: number): boolean {
  const word = controlOf(words, row)
  return hasFlag(word, Flag.PARK) && hasFlag(word, Flag.PARKED)
}

/**
 * Owner: wakes the thread from its sleep, or, if it is awake, from its next one (a permit, as it
 * were): so a wake that comes between "nothing to do" and "asleep" is not lost.
 *
 * @returns whether the thread sleeps in its event loop, so that the caller must send the message
 * 'look'. It is told to one caller only.
 */
export function wake(words: Words, row: number): boolean {
  memory.add(words, at(row, Field.WAKES), 1)
  ring(words, row)
  // Pairs with `doze`: the thread sets the flag, then looks at the words once more.
  return take(words, at(row, Field.CONTROL), 'rouse')
}

/** Moves the bell and wakes who waits on it. Always after the change that it tells of. */
export function ring(words: Words, row: number): void {
  memory.add(words, at(row, Field.SEQUENCE), 1)
  memory.notify(words, at(row, Field.SEQUENCE))
}

/** Thread: the bell as it is now, to be read before looking for what to do (VH-13 b). */
export function listen(words: Words, row: number): number {
  return memory.load(words, at(row, Field.SEQUENCE))
}

/**
 * Thread: blocks until the bell moves on from `heard`, for at most `timeoutMs`.
 *
 * @returns false when the time was over
 */
export function nap(words: Words, row: number, heard: number, timeoutMs: number): boolean {
  // Waker: `ask` and `wake`, by `ring`.
  return memory.wait(words, at(row, Field.SEQUENCE), heard, timeoutMs) !== 'timed-out'
}

/**
 * Thread: announces a sleep in the event loop. What it sleeps for must be looked at once more after
 * this: pairs with `wake`, where the waker changes the words, rings, and then looks for the flag.
 */
export function doze(words: Words, row: number): void {
  take(words, at(row, Field.CONTROL), 'doze')
}

/** Thread: awake again. If a waker took the flag first, a message comes that nobody needs. */
export function rouse(words: Words, row: number): void {
  take(words, at(row, Field.CONTROL), 'rouse')
}

/**
 * Where a thread is when it looks whether to stand: between two works, or in the middle of one. A
 * park counts everywhere, a freeze as it was asked for.
 */
export type Point = 'work' | 'anywhere'

/**
 * Whether a thread is to stand still at such a point: it is told to park, or it or an owner above is
 * frozen. A stop and a kill beat a freeze: of a worker that is told to stop, or of an owner, nothing
 * above counts any more; below an owner that was killed, nothing does (KT-25, SG-7).
 */
export function mustStand(words: Words, row: number, point: Point): boolean {
  const own = controlOf(words, row)
  if (hasFlag(own, Flag.PARK)) return true
  return isFrozen(words, row, point)
}

/** Whether what is below a row is to stand still at such a point. */
export function isFrozen(words: Words, row: number, point: Point): boolean {
  const flag = point === 'work' ? Flag.FREEZE : Flag.ANYWHERE
  for (let each = row; each >= 0; each = parentOf(words, each)) {
    const word = controlOf(words, each)
    if (hasFlag(word, Flag.STOP | Flag.KILL)) return false
    if (hasFlag(word, flag)) return !isKilled(words, each)
    if (each === 0) return false
  }
  return false
}

/** Whether a row or an owner above it was killed: what is below is to die, and nothing is made there. */
export function isKilled(words: Words, row: number): boolean {
  return lineOf(words, row).some((each) => hasFlag(controlOf(words, each), Flag.KILL))
}

/** Whether a thread stands, of those that are to: one that has not begun, or has ended, does. */
export function isStanding(words: Words, row: number): boolean {
  const word = controlOf(words, row)
  const state = stateOf(word)
  if (state !== State.CREATED && state !== State.RUNNING) return true
  return hasFlag(word, Flag.PARKED)
}

/**
 * Thread, at a signal point: stands still as long as it is told to (KT-21). Nothing of the thread
 * runs meanwhile, nor does its event loop (INV-KT-7).
 *
 * @param answer - called when it stands
 * @returns whether it stood
 */
export function stand(words: Words, row: number, answer: () => void, point: Point): boolean {
  if (!mustStand(words, row, point)) return false
  take(words, at(row, Field.CONTROL), 'parked')
  answer()
  for (;;) {
    // Waker: `ask` with 'unpark', 'thaw' or 'stop', of this row or, with its rings, of one above. Read
    // in the opposite order.
    const heard = listen(words, row)
    // Once it stands, whatever makes a thread stand at all keeps it there.
    if (!mustStand(words, row, 'work') && take(words, at(row, Field.CONTROL), 'resumed')) {
      // A freeze is in another word: whoever set it since the look above saw us stand, and believes it.
      if (!mustStand(words, row, 'work')) return true
      take(words, at(row, Field.CONTROL), 'parked')
      answer()
      continue
    }
    nap(words, row, heard, Infinity)
  }
}

/**
 * Thread: makes its exit code final, once (INV-KT-2). A code before entry is always EINTR
 * (INV-KT-1).
 *
 * @returns false when it was final already
 */
export function finish(words: Words, row: number, code: number): boolean {
  const word = controlOf(words, row)
  if (after(word, 'finish') === null) return false
  // Only this thread sets ENTERED, so the word is still right about it.
  memory.store(words, at(row, Field.EXIT_CODE), hasFlag(word, Flag.ENTERED) ? code : EINTR)
  return take(words, at(row, Field.CONTROL), 'finish')
}

/**
 * What a sleep gives when a stop broke it, and the exit code of a worker whose function never ran:
 * -4, as in the kernel.
 */
export const EINTR = -4
