/**
 * Two stops of a worker that goes through its gate and sleeps, blocked or in its event loop (`worker/control.ts`).
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

export default async function stop(code: Code): Promise<Protocol<memory.Words>> {
  const real = await workerCode(code)
  const { ask, controlOf, EINTR, finish, Flag, hasFlag, listen, nap } = real
  const shouldStop = (words: memory.Words): boolean => hasFlag(controlOf(words, row), Flag.STOP)
  return {
    name: 'stop',
    promise:
      'A stop reaches its worker wherever it is: at the gate, at work, blocked in a sleep, or in its ' +
      'event loop; and a function that was called gives its own code.',
    setUp: () => oneWorker(real, 'loaded'),
    threads: {
      worker(words, model) {
        if (!passesGate(real, words, () => model.receive('look'))) return finish(words, row, EINTR)
        model.note('called')
        // As `sleepSync`: the bell first, then the word.
        for (;;) {
          const heard = listen(words, row)
          if (shouldStop(words)) break
          nap(words, row, heard, Infinity)
        }
        // As `sleep`, by a message.
        while (!shouldStop(words)) model.receive('look')
        return finish(words, row, 7)
      },
      owner(words, model) {
        startAndStop(real, words, () => model.post('look', null))
        model.ended('worker')
        return judged(real, words, false)
      },
      other(words, model) {
        const first = controlOf(words, row)
        ask(words, row, 'stop')
        model.post('look', null)
        // INV-KT-3: from here on it is seen.
        return hasFlag(first, Flag.STOP) || shouldStop(words)
      },
    },
    check({ threads: { worker, owner, other }, log }, words) {
      assert.equal(worker?.state, 'returned', 'the worker sleeps through a stop')
      assert.ok(owner?.state === 'returned' && other?.state === 'returned', 'a stopper is stuck')
      assert.equal(owner.value, log.length > 0 ? 7 : EINTR)
      assert.ok(other.value === true && shouldStop(words), 'a stop was taken back')
    },
    ...telling(real),
  }
}
