/**
 * A worker that completes works, with results in slots and by message, and is terminated; its owner reads them
 * (`ring/completion.ts`, with `Serving` and `Ends`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { callsIn, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { Queue, servingOf, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'owner']
/** The results of these go by message. */
const byMessage = (id: number): boolean => id !== 2

export default async function completion(code: Code): Promise<Protocol<Rings>> {
  const real = await ringCode(code)
  return {
    name: 'completion',
    promise:
      "A work whose slot says DONE has its own result, wherever that came, also if its thread's last " +
      'word is missing; a work that was not so far died, once, and a result that came for it is dropped.',
    setUp: () => ringsOf(real, seats),
    threads: {
      owner(rings, model) {
        const queue = new Queue(real, rings, model)
        for (const id of [1, 2, 3]) queue.submit(id)
        model.kill('doomed')
        queue.reap()
        // Into a slot of one that has ended, if one has.
        queue.submit(4)
        queue.reap()
        model.ended('doomed')
        queue.gone(0)
        queue.runRest(1)
        assert.equal(queue.leak(), null)
        return queue.outcomes
      },
      doomed: (rings, model) => void servingOf(real, rings, model, 0, { byMessage }).pump(),
    },
    check({ threads: { owner } }, rings) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      const outcomes = owner.value as unknown as Outcomes
      for (const id of [1, 2, 3, 4]) {
        const ran = callsIn(rings, id)
        assert.equal(outcomes[id]?.length, 1, `work ${id} is settled as ${outcomes[id]?.join()}`)
        const [outcome = ''] = outcomes[id]
        // Those that nobody began run in the owner's thread at last, and return null.
        const returns = [`returned ${byMessage(id) ? id : null}`, 'returned null']
        const fits = outcome === 'died' ? ran <= 1 : returns.includes(outcome) && ran === 1
        assert.ok(fits, `work ${id} ${outcome}, and its handler ran ${ran} times`)
      }
    },
    ...ringWords(real, seats),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}
