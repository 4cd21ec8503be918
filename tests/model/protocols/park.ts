/**
 * A park and an unpark, and a stop by another at any time.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { owner, parking, worker, type Parking } from './parking.js'
import { row, telling, workerCode } from './worker-code.js'

export default async function park(code: Code): Promise<Protocol<Parking>> {
  const real = await workerCode(code)
  const { ask, controlOf, Flag, hasFlag } = real
  return {
    name: 'park',
    promise:
      'Between the moment its owner knows that it stands and the moment it is let go, a worker does ' +
      'nothing; it is let go by an unpark, and by a stop; and nobody waits for a park that cannot come.',
    setUp: () => parking(real),
    threads: {
      worker: (context, model) => worker(real, context, model),
      owner: (context, model, round) => owner(real, context, model, { round, rounds: 1 }),
      stopper({ words }) {
        ask(words, row, 'stop')
        return hasFlag(controlOf(words, row), Flag.PARK)
      },
    },
    check({ threads }) {
      assert.equal(threads['worker']?.state, 'returned', 'the worker stands, or sleeps, for ever')
      assert.ok(
        threads['owner']?.state === 'returned',
        'the owner waits for a park that never comes',
      )
      assert.ok(threads['owner'].value, 'the worker moved while its owner knew that it stood')
      assert.ok(threads['stopper']?.state === 'returned')
      assert.equal(threads['stopper'].value, false, 'it is told to park after it was told to stop')
    },
    ...telling(real),
  }
}
