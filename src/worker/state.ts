/**
 * The states of a worker, and the one word that holds them.
 *
 *     BOOTING ──booted──► SPARE ──adopt──► BOOTING ──loaded──► CREATED ──enter──► RUNNING ──finish──► EXITED
 *        └──finish──────────┴──────────finish──┴─────────────────┴──────finish──────────────────────────►┘
 *
 * | state   | holds                                                                  | left by          |
 * | ------- | ---------------------------------------------------------------------- | ---------------- |
 * | BOOTING | the thread is being made, or loads its module                          | the thread alone |
 * | SPARE   | the thread is booted and belongs to no worker yet                      | the thread alone |
 * | CREATED | the thread stands at the gate; the function was not called             | the thread alone |
 * | RUNNING | the function was called (`ENTERED` is set for good)                    | the thread alone |
 * | EXITED  | the exit code is final; our code in the thread touches nothing shared  | nobody           |
 * | OWNER   | the row has no thread: it is that of an owner, or of a queue           | nobody           |
 *
 * Beside the state the word holds what the owner asks for and what the thread answers. All of it is
 * in one word because the facts exclude each other: "entered" and "stopped before entry" (KT-11,
 * BUG-KT-4), "parked" and "told to go on" (BUG-KT-7), "asked to park" and "asked to stop" (KT-24).
 * A freeze and a kill are flags beside the state (BUG-KT-8), and hold for all rows below: a thread asks
 * the rows above it as well as its own (`freeze.ts`).
 * Each change is one compare-and-swap, judged anew when another change came in between.
 *
 * A thread can be terminated between any two instructions. Then its word stays as it is, and the
 * owner settles by what it says (`exit.ts`); there is nothing to undo.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'

const stateBits = 0b111

/** The values of the state in the control word. */
export const State = { BOOTING: 0, SPARE: 1, CREATED: 2, RUNNING: 3, EXITED: 4, OWNER: 5 } as const

/** The flags beside the state. */
export const Flag = {
  /** The function was called. Set in the same step that enters RUNNING, never cleared. */
  ENTERED: 1 << 3,
  /** The owner asked to open the gate. Never cleared. */
  START: 1 << 4,
  /** The owner asked to stop. Never cleared (INV-KT-3). */
  STOP: 1 << 5,
  /** The owner asks to stand still. Cleared by the owner: `unpark`, or a stop (KT-24). */
  PARK: 1 << 6,
  /**
   * The thread stands still, parked or frozen. Set and cleared by the thread; not cleared while
   * `PARK` is set.
   */
  PARKED: 1 << 7,
  /** The thread sleeps in its event loop: who wakes it takes the flag, and sends a message. */
  DOZING: 1 << 8,
  /** All below are to stand still when they are between two works. Set and cleared by the owner. */
  FREEZE: 1 << 9,
  /** Beside `FREEZE`: also in the middle of a work, wherever a signal point is. */
  ANYWHERE: 1 << 10,
  /** The owner was killed: all below are to die. Never cleared. */
  KILL: 1 << 11,
} as const

/** A state's name, as users see it. */
export type StateName = 'booting' | 'spare' | 'created' | 'running' | 'parked' | 'frozen' | 'exited'

const names: readonly StateName[] = ['booting', 'spare', 'created', 'running', 'exited']

/** What the thread does to its own word. */
export type ThreadStep =
  | 'booted'
  | 'adopt'
  | 'loaded'
  | 'enter'
  | 'parked'
  | 'resumed'
  | 'doze'
  | 'finish'

/** What an owner does to a thread's word. `rouse` is also the thread's own. */
export type OwnerStep =
  | 'start'
  | 'stop'
  | 'park'
  | 'unpark'
  | 'rouse'
  | 'freeze'
  | 'freeze-anywhere'
  | 'thaw'
  | 'kill'

/** Every change of the word has a name. */
export type Step = ThreadStep | OwnerStep

/** Where each step leads from each word; null where it is not allowed, or changes nothing. */
const steps: Readonly<Record<Step, (word: number) => number | null>> = {
  booted: (word) => (stateOf(word) === State.BOOTING ? withState(word, State.SPARE) : null),
  adopt: (word) => (stateOf(word) === State.SPARE ? withState(word, State.BOOTING) : null),
  loaded: (word) => (stateOf(word) === State.BOOTING ? withState(word, State.CREATED) : null),
  enter: (word) =>
    stateOf(word) === State.CREATED && mayEnter(word)
      ? withState(word, State.RUNNING) | Flag.ENTERED
      : null,
  finish: (word) =>
    isExited(word) ? null : withState(word, State.EXITED) & ~(Flag.PARKED | Flag.DOZING),
  parked: (word) => (isExited(word) || hasFlag(word, Flag.PARKED) ? null : word | Flag.PARKED),
  resumed: (word) =>
    hasFlag(word, Flag.PARKED) && !hasFlag(word, Flag.PARK) ? word & ~Flag.PARKED : null,
  doze: (word) => (isExited(word) || hasFlag(word, Flag.DOZING) ? null : word | Flag.DOZING),
  rouse: (word) => (hasFlag(word, Flag.DOZING) ? word & ~Flag.DOZING : null),
  start: (word) => (isExited(word) || hasFlag(word, Flag.START) ? null : word | Flag.START),
  // A stop un-parks in the same step (KT-9, KT-24): nobody can be told to park and to stop.
  stop: (word) =>
    isExited(word) || hasFlag(word, Flag.STOP) ? null : (word | Flag.STOP) & ~Flag.PARK,
  // Like the first wake of a kthread, a park opens the gate: un-parked, the function runs (KT-23).
  park: (word) =>
    isExited(word) || hasFlag(word, Flag.STOP | Flag.PARK) ? null : word | Flag.PARK | Flag.START,
  unpark: (word) => (hasFlag(word, Flag.PARK) && !isExited(word) ? word & ~Flag.PARK : null),
  // A stop beats a freeze: who is told to stop is not frozen any more.
  freeze: (word) =>
    isExited(word) || hasFlag(word, Flag.STOP | Flag.FREEZE) ? null : word | Flag.FREEZE,
  'freeze-anywhere': (word) =>
    isExited(word) || hasFlag(word, Flag.STOP | Flag.ANYWHERE)
      ? null
      : word | Flag.FREEZE | Flag.ANYWHERE,
  thaw: (word) =>
    hasFlag(word, Flag.FREEZE) && !isExited(word) ? word & ~(Flag.FREEZE | Flag.ANYWHERE) : null,
  kill: (word) => (isExited(word) || hasFlag(word, Flag.KILL) ? null : word | Flag.KILL),
}

/** The state in a control word. */
export function stateOf(word: number): number {
  return word & stateBits
}

/** The name of the state in a control word. */
export function stateName(word: number): StateName {
  if (!hasFlag(word, Flag.PARKED) || isExited(word)) return names[stateOf(word)] as StateName
  return hasFlag(word, Flag.PARK) ? 'parked' : 'frozen'
}

/** Whether one of these flags is set in a control word. */
export function hasFlag(word: number, flags: number): boolean {
  return (word & flags) !== 0
}

/** Whether the exit code is final. */
export function isExited(word: number): boolean {
  return stateOf(word) === State.EXITED
}

/** The control word after a step, or null where the step is not allowed or changes nothing. */
export function after(word: number, step: Step): number | null {
  return steps[step](word)
}

/**
 * Takes a step in a shared control word: the only function that writes one.
 *
 * @returns the word that the step was judged by; `after(word, step)` tells whether it was taken
 */
export function move(words: Words, index: number, step: Step): number {
  for (;;) {
    const word = memory.load(words, index)
    const next = after(word, step)
    // Pairs with every other `move` of the word: what came in between makes the swap fail.
    if (next === null || memory.replace(words, index, word, next)) return word
  }
}

/** {@link move}, where only the outcome matters: whether the step was taken. */
export function take(words: Words, index: number, step: Step): boolean {
  return after(move(words, index, step), step) !== null
}

function mayEnter(word: number): boolean {
  return hasFlag(word, Flag.START) && !hasFlag(word, Flag.STOP | Flag.PARK)
}

function withState(word: number, state: number): number {
  return (word & ~stateBits) | state
}
