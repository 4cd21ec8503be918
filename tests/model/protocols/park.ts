/**
 * Two rounds of park and unpark, and a stop at any time (`askToPark`, `stand` in `worker/control.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { oneWorker, row, telling, workerCode } from './worker-code.js'

interface Context {
  readonly words: memory.Words
  /** Moves when the worker works. */
  readonly beat: memory.Words
}

export default async function park(code: Code): Promise<Protocol<Context>> {
  const real = await workerCode(code)
  const { ask, askToPark, controlOf, finish, Flag, hasFlag, isParked, listen, nap, stand } = real

  /** As `park` of `life.ts`: true once the thread stands still. */
  function parked(words: memory.Words, model: Model): boolean {
    const outcome = askToPark(words, row)
    model.post('look', null)
    if (outcome !== 'asked') return outcome === 'parked'
    for (;;) {
      if (model.receive('told') === 'gone') return false
      // The message may be of the round before.
      if (isParked(words, row)) return true
    }
  }

  return {
    name: 'park',
    promise:
      'Between the moment its owner knows that it stands and the moment it is let go, a worker does ' +
      'nothing; and it is let go by each unpark, and by a stop.',
    setUp: () => ({
      words: oneWorker(real, 'loaded', 'start', 'enter'),
      beat: memory.allocate(1),
    }),
    threads: {
      worker({ words, beat }, model) {
        for (;;) {
          const heard = listen(words, row)
          if (hasFlag(controlOf(words, row), Flag.STOP)) break
          const stood = stand(words, row, () => model.post('told', 'parked'))
          memory.add(beat, 0, 1)
          if (!stood) nap(words, row, heard, Infinity)
        }
        finish(words, row, 7)
        model.post('told', 'gone')
      },
      owner({ words, beat }, model) {
        let stoodStill = true
        for (let round = 0; round < 2; round++) {
          if (!parked(words, model)) break
          const before = memory.load(beat, 0)
          const after = memory.load(beat, 0)
          // Let go by a stop it may have moved between the two.
          stoodStill &&= after === before || hasFlag(controlOf(words, row), Flag.STOP)
          ask(words, row, 'unpark')
        }
        ask(words, row, 'stop')
        return stoodStill
      },
      stopper({ words }) {
        ask(words, row, 'stop')
        ask(words, row, 'unpark')
      },
    },
    check(end) {
      const { worker, owner, stopper } = end.threads
      assert.equal(worker?.state, 'returned', 'the worker stands, or sleeps, for ever')
      assert.ok(owner?.state === 'returned', 'the owner waits for a park that never comes')
      assert.ok(owner.value, 'the worker moved while its owner knew that it stood')
      assert.equal(stopper?.state, 'returned')
    },
    ...telling(real),
  }
}

