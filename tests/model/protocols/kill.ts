/**
 * A worker that is started, stopped and killed at once, and how its owner judges its end (`worker/exit.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import type * as memory from '../memory.js'
import {
  judged,
  oneWorker,
  passesGate,
  row,
  startAndStop,
  telling,
  workerCode,
} from './worker-code.js'

export default async function kill(code: Code): Promise<Protocol<memory.Words>> {
  const real = await workerCode(code)
  const { ask, at, controlOf, EINTR, Field, finish, Flag, hasFlag, isExited, KILLED, take } = real
  const control = at(row, Field.CONTROL)
  return {
    name: 'kill',
    promise:
      'Whenever a thread dies, its code is EINTR exactly when its function was never called, that of ' +
      'the function when it had returned (stop wins), and else that of a kill.',
    setUp: () => oneWorker(real),
    threads: {
      worker(words, model) {
        take(words, control, 'loaded')
        model.post('told', 'created')
        if (!passesGate(real, words, () => model.receive('look'))) return finish(words, row, EINTR)
        model.note('called')
        return finish(words, row, 7)
      },
      owner(words, model) {
        startAndStop(real, words, () => model.post('look', null))
        model.ended('worker')
        return judged(real, words)
      },
      killer(words, model) {
        // It does not always come, or a request that is lost would not show.
        if (hasFlag(controlOf(words, row), Flag.STOP)) return null
        model.kill('worker')
        // A second stop, as of a reference: it changes nothing any more.
        ask(words, row, 'stop')
        return controlOf(words, row)
      },
    },
    check({ threads: { worker, owner }, log }, words) {
      assert.notEqual(worker?.state, 'asleep', 'the worker stands at the gate for ever')
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      const word = controlOf(words, row)
      const entered = hasFlag(word, Flag.ENTERED)
      if (log.length > 0) assert.ok(entered, 'it was called, and does not look so')
      assert.equal(owner.value, entered ? (isExited(word) ? 7 : KILLED) : EINTR)
      assert.ok(isExited(word) || hasFlag(word, Flag.STOP), 'the stop is lost')
    },
    ...telling(real),
  }
}
