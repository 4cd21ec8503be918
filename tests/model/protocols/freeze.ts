/**
 * A freeze of an owner above a worker; a park of the worker beside it, and a stop at any time.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { freezing, owner, worker, workerRow, type Frozen } from './freezing.js'
import { telling, workerCode } from './worker-code.js'

export default async function freeze(code: Code): Promise<Protocol<Frozen>> {
  const real = await workerCode(code)
  const { ask, controlOf, Flag, hasFlag, State, stateOf } = real
  return {
    name: 'freeze',
    promise:
      'While an owner knows that a worker below it stands, that worker does nothing; and a stop gets ' +
      'through to it, however it was parked and frozen.',
    setUp: () => freezing(real),
    threads: {
      worker: (context, model) => worker(real, context, model),
      owner: (context, model, round) => owner(real, context, model, { round, thaws: false }),
      other({ words }) {
        ask(words, workerRow, 'park')
        ask(words, workerRow, 'unpark')
        ask(words, workerRow, 'stop')
      },
    },
    check({ threads }, { words }) {
      assert.equal(threads['worker']?.state, 'returned', 'the worker stands, or sleeps, for ever')
      assert.equal(stateOf(controlOf(words, workerRow)), State.EXITED)
      assert.ok(threads['owner']?.state === 'returned', 'the owner waits for who never stands')
      assert.ok(threads['owner'].value, 'the worker moved while its owner knew that it stood')
      assert.ok(!hasFlag(controlOf(words, workerRow), Flag.PARKED))
      assert.equal(threads['other']?.state, 'returned')
    },
    preemptions: 3,
    ...telling(real),
  }
}
