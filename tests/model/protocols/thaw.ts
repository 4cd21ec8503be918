/**
 * A freeze and a thaw of an owner above a worker that is parked, and let go meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { freezing, owner, worker, workerRow, type Frozen } from './freezing.js'
import { telling, workerCode } from './worker-code.js'

export default async function thaw(code: Code): Promise<Protocol<Frozen>> {
  const real = await workerCode(code)
  const { ask, controlOf, Flag, hasFlag } = real
  return {
    name: 'thaw',
    promise:
      'A worker that is let go by an unpark stands on while it is frozen, its owner always comes to ' +
      'know that it stands, and after the thaw it goes on.',
    setUp: () => freezing(real, 'park'),
    threads: {
      worker: (context, model) => worker(real, context, model),
      owner: (context, model, round) => owner(real, context, model, { round, thaws: true }),
      other: ({ words }) => void ask(words, workerRow, 'unpark'),
    },
    check({ threads }, { words }) {
      // Nobody stops it: in the end it sleeps.
      assert.equal(threads['worker']?.state, 'asleep')
      assert.ok(!hasFlag(controlOf(words, workerRow), Flag.PARKED), 'the worker stands for ever')
      assert.ok(threads['owner']?.state === 'returned', 'the owner waits for who never stands')
      assert.ok(threads['owner'].value, 'the worker moved while its owner knew that it stood')
      assert.equal(threads['other']?.state, 'returned')
    },
    ...telling(real),
  }
}
