/**
 * A worker's life and end in its control word (`worker/state.ts`), and how its owner judges it (`worker/exit.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, End, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { controlName } from './row-words.js'

/** The words of the worker's row that matter here. */
const Word = { CONTROL: 0, EXIT_CODE: 1 } as const
/** What the worker's function returns. */
const returned = 7

type Modules = Awaited<ReturnType<typeof modules>>

async function modules(code: Code) {
  return {
    ...((await code('worker/state.js')) as typeof import('../../../src/worker/state.js')),
    ...((await code('worker/exit.js')) as typeof import('../../../src/worker/exit.js')),
    ...((await code('worker/self.js')) as typeof import('../../../src/worker/self.js')),
  }
}

export default async function exit(code: Code): Promise<Protocol<memory.Words>> {
  const real = await modules(code)
  const { EINTR, Flag, hasFlag, request, State, stateOf, take } = real

  /** As `finish` of `entry.ts`. */
  function finish(words: memory.Words, exitCode: number): void {
    if (stateOf(memory.load(words, Word.CONTROL)) === State.EXITED) return
    const entered = hasFlag(memory.load(words, Word.CONTROL), Flag.ENTERED)
    memory.store(words, Word.EXIT_CODE, entered ? exitCode : EINTR)
    take(words, Word.CONTROL, 'finish')
  }

  return {
    name: 'exit',
    promise:
      'The exit code is EINTR exactly when the function was never called, it is final once the ' +
      'state is EXITED, and no request is lost or keeps a worker at the gate.',
    setUp: () => memory.allocate(2),
    threads: {
      worker(words, model) {
        take(words, Word.CONTROL, 'loaded')
        model.post('told', 'created')
        while (!take(words, Word.CONTROL, 'enter')) {
          if (hasFlag(memory.load(words, Word.CONTROL), Flag.STOP)) return finish(words, EINTR)
          model.receive('look')
        }
        model.note('called')
        finish(words, returned)
      },
      owner(words, model) {
        model.receive('told')
        request(words, Word.CONTROL, Flag.START)
        model.post('look', null)
        request(words, Word.CONTROL, Flag.STOP)
        model.post('look', null)
        model.ended('worker')
        return memory.load(words, Word.CONTROL)
      },
      killer: (_, model) => model.kill('worker'),
      spectator(words) {
        const isFinal = stateOf(memory.load(words, Word.CONTROL)) === State.EXITED
        return isFinal ? memory.load(words, Word.EXIT_CODE) : null
      },
    },
    check: (end, words) => check(real, end, words),
    wordName: (index) => Object.keys(Word)[index] ?? `word ${index}`,
    valueName: (value, index) => (index === Word.CONTROL ? controlName(real, value) : ''),
  }
}

function check(real: Modules, { threads, log }: End, words: memory.Words): void {
  const { EINTR, Flag, hasFlag, State, stateOf, verdict } = real
  const { worker, owner, spectator } = threads
  const control = memory.load(words, Word.CONTROL)
  const exitCode = memory.load(words, Word.EXIT_CODE)
  assert.notEqual(worker?.state, 'asleep', 'the worker stands at the gate for ever')
  assert.ok(owner?.state === 'returned' || log.length === 0, 'the owner is stuck')
  const isCalled = log.length > 0
  if (isCalled) assert.ok(hasFlag(control, Flag.ENTERED), 'it was called, and does not look so')
  if (owner?.state === 'returned') {
    assert.ok(hasFlag(control, Flag.START) && hasFlag(control, Flag.STOP), 'a request is lost')
    assert.equal(owner.value, control, 'the word changed after the thread was gone')
  }
  const { code: judged } = verdict({
    name: 'worker',
    control,
    exitCode,
    nodeCode: 1,
    killed: true,
    told: null,
    uncaught: null,
    left: null,
    ended: null,
  })
  const entered = hasFlag(control, Flag.ENTERED)
  assert.equal(judged === EINTR, !entered, `${judged} is no code for this end`)
  if (stateOf(control) === State.EXITED) assert.equal(judged, entered ? returned : EINTR)
  if (spectator?.state === 'returned' && spectator.value !== null)
    assert.equal(spectator.value, judged, 'the exit code was not final when the state was EXITED')
}
