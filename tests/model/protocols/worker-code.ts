/**
 * The library's code that the protocols of a worker run, and what all of them say about its words.
 *
 * @module
 */
import type { Code, Value } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { controlName, rowWordName } from './row-words.js'

/** The modules of `worker/` that are protocols, in one object. */
export type WorkerCode = Awaited<ReturnType<typeof workerCode>>

export async function workerCode(code: Code) {
  return {
    ...((await code('worker/state.js')) as typeof import('../../../src/worker/state.js')),
    ...((await code('worker/table.js')) as typeof import('../../../src/worker/table.js')),
    ...((await code('worker/control.js')) as typeof import('../../../src/worker/control.js')),
    ...((await code('worker/exit.js')) as typeof import('../../../src/worker/exit.js')),
    ...((await code('worker/joins.js')) as typeof import('../../../src/worker/joins.js')),
  }
}

/** The row that the protocols of one worker use. */
export const row = 1

/** A table with one claimed row, whose worker has got so far. */
export function oneWorker(
  { emptyTable, claim, take, at, Field }: WorkerCode,
  ...steps: readonly import('../../../src/worker/state.js').Step[]
): memory.Words {
  const words = emptyTable()
  claim(words, 0)
  for (const step of steps) take(words, at(row, Field.CONTROL), step)
  return words
}

/** A worker at its gate, as `entered` of `entry.ts`: whether its function is to be called. */
export function passesGate(real: WorkerCode, words: memory.Words, look: () => void): boolean {
  const { at, controlOf, Field, Flag, hasFlag, take } = real
  while (!take(words, at(row, Field.CONTROL), 'enter')) {
    if (hasFlag(controlOf(words, row), Flag.STOP)) return false
    look()
  }
  return true
}

/** An owner that starts its worker and stops it at once; each request with its message. */
export function startAndStop({ ask }: WorkerCode, words: memory.Words, look: () => void): void {
  for (const request of ['start', 'stop'] as const) {
    ask(words, row, request)
    look()
  }
}

/** How words and their values are told. */
export function telling(real: WorkerCode): {
  wordName(index: number): string
  valueName(value: number, index: number): string
} {
  return {
    wordName: (index) => rowWordName(real, index),
    valueName: (value, index) =>
      index % real.at(1, 0) === real.Field.CONTROL ? controlName(real, value) : '',
  }
}

/** The code by which the owner judges the worker's end, as at the 'exit' event of a killed thread. */
export function judged(real: WorkerCode, words: memory.Words, killed = true): Value {
  const { code } = real.verdict({
    name: 'worker',
    control: real.controlOf(words, row),
    exitCode: memory.load(words, real.at(row, real.Field.EXIT_CODE)),
    nodeCode: 1,
    killed,
    ownerKilled: null,
    told: null,
    uncaught: null,
    left: null,
    ended: null,
  })
  return code
}
