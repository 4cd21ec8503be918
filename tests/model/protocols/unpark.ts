/**
 * Parks and unparks in quick succession, of a worker that is woken meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { owner, parking, worker, type Parking } from './parking.js'
import { row, telling, workerCode } from './worker-code.js'

export default async function unpark(code: Code): Promise<Protocol<Parking>> {
  const real = await workerCode(code)
  const { controlOf, Flag, hasFlag } = real
  return {
    name: 'unpark',
    promise:
      'However quickly a park follows an unpark, the worker that its owner believes to stand does ' +
      'stand, and a wake lets no parked worker go.',
    setUp: () => parking(real),
    threads: {
      worker: (context, model) => worker(real, context, model),
      owner: (context, model, round) => owner(real, context, model, { round, rounds: 2 }),
      waker({ words }) {
        real.wake(words, row)
        real.ask(words, row, 'start')
      },
    },
    check({ threads }, { words }) {
      // Nobody stops it: in the end it sleeps.
      assert.equal(threads['worker']?.state, 'asleep')
      assert.ok(!hasFlag(controlOf(words, row), Flag.PARKED), 'the worker stands for ever')
      assert.ok(
        threads['owner']?.state === 'returned',
        'the owner waits for a park that never comes',
      )
      assert.ok(threads['owner'].value, 'the worker moved while its owner knew that it stood')
      assert.equal(threads['waker']?.state, 'returned')
    },
    preemptions: 4,
    ...telling(real),
  }
}
