/**
 * The states of a worker, and the one word that holds them.
 *
 *     BOOTING ──loaded──► CREATED ──enter──► RUNNING ──finish──► EXITED
 *        └────────finish─────┴─────finish────────────────────────►┘
 *
 * | state   | holds                                                          | left by          |
 * | ------- | -------------------------------------------------------------- | ---------------- |
 * | BOOTING | the thread is being made, or loads its module                  | the thread alone |
 * | CREATED | the thread stands at the gate; the function was not called     | the thread alone |
 * | RUNNING | the function was called (`ENTERED` is set for good)            | the thread alone |
 * | EXITED  | the exit code is final; our code in the thread touches nothing | nobody           |
 *
 * Beside the state the word holds requests, which the owner sets and nobody clears (INV-KT-3).
 * Because both live in one word, "entered" and "stopped before entry" exclude each other: entering
 * is one compare-and-swap that fails when a stop came in between (KT-11, BUG-KT-4).
 *
 * A thread can be terminated between any two instructions. Then its word stays as it is, and the
 * owner settles by what it says (`exit.ts`); there is nothing to undo.
 *
 * @module
 */
import * as memory from '#memory'
import type { Words } from '#memory'

const stateBits = 0b11

/** The values of the state in the control word. */
export const State = { BOOTING: 0, CREATED: 1, RUNNING: 2, EXITED: 3 } as const

/** The flags beside the state. */
export const Flag = {
  /** The function was called. Set in the same step that enters RUNNING, never cleared. */
  ENTERED: 4,
  /** The owner asked to open the gate. */
  START: 8,
  /** The owner asked to stop. */
  STOP: 16,
} as const

/** A state's name, as users see it. */
export type StateName = 'booting' | 'created' | 'running' | 'exited'

const names: readonly StateName[] = ['booting', 'created', 'running', 'exited']

/** What a thread may do to its own state. */
export type Step = 'loaded' | 'enter' | 'finish'

/** Where each step leads from each state, with the flags that must and must not be set. */
const steps: Record<Step, (word: number) => number | null> = {
  loaded: (word) => (stateOf(word) === State.BOOTING ? withState(word, State.CREATED) : null),
  enter: (word) =>
    stateOf(word) === State.CREATED && hasFlag(word, Flag.START) && !hasFlag(word, Flag.STOP)
      ? withState(word, State.RUNNING) | Flag.ENTERED
      : null,
  finish: (word) => (stateOf(word) === State.EXITED ? null : withState(word, State.EXITED)),
}

/** The state in a control word. */
export function stateOf(word: number): number {
  return word & stateBits
}

/** The name of the state in a control word. */
export function stateName(word: number): StateName {
  return names[stateOf(word)] as StateName
}

/** Whether a flag is set in a control word. */
export function hasFlag(word: number, flag: number): boolean {
  return (word & flag) !== 0
}

/** The control word after a step, or null where the step is not allowed. */
export function after(word: number, step: Step): number | null {
  return steps[step](word)
}

/**
 * Takes a step in a shared control word: the only function that changes a state. Pairs with {@link
 * request}: a request that comes in between makes the swap fail, and the step is judged anew.
 *
 * @returns whether the step was taken; false means that it was not allowed
 */
export function take(words: Words, index: number, step: Step): boolean {
  for (;;) {
    const word = memory.load(words, index)
    const next = after(word, step)
    if (next === null) return false
    if (memory.replace(words, index, word, next)) return true
  }
}

/** Sets a request flag in a shared control word. Idempotent; harmless in every state (KT-16). */
export function request(
  words: Words,
  index: number,
  flag: typeof Flag.START | typeof Flag.STOP,
): void {
  memory.or(words, index, flag)
}

function withState(word: number, state: number): number {
  return (word & ~stateBits) | state
}
