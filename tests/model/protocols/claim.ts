/**
 * Workers that take from one ring while its owner cancels, fills the freed slot again, and one of the workers is
 * terminated (`ring/slot.ts`, `ring/submission.ts`, with `Lane` and `Serving`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import { callsIn, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { Queue, servingOf, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'other', 'owner']

export default async function claim(code: Code): Promise<Protocol<Rings>> {
  const real = await ringCode(code)
  return {
    name: 'claim',
    promise:
      'Every work is run and completed, or cancelled and never begun, or died with its thread: one ' +
      'of these, once; no work is lost, and no slot.',
    setUp: () => ringsOf(real, seats),
    threads: {
      owner(rings, model) {
        const queue = new Queue(real, rings, model)
        const first = queue.submit(1)
        queue.submit(2)
        // From here on; before it had nothing to lose.
        model.kill('doomed')
        queue.cancel(first)
        // Into the slot of the first, where that is free.
        queue.submit(3)
        model.ended('doomed')
        queue.gone(0)
        model.ended('other')
        queue.gone(1)
        queue.runRest(2)
        assert.equal(queue.leak(), null)
        return queue.outcomes
      },
      doomed: (rings, model) => void servingOf(real, rings, model, 0, { most: 1 }).pump(),
      other: (rings, model) => void servingOf(real, rings, model, 1, { most: 2 }).pump(),
    },
    check({ threads: { owner } }, rings) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      const outcomes = owner.value as unknown as Outcomes
      for (const id of [1, 2, 3]) {
        const ran = callsIn(rings, id)
        assert.equal(outcomes[id]?.length, 1, `work ${id} is settled as ${outcomes[id]?.join()}`)
        const [outcome] = outcomes[id]
        const fitting = { canceled: [0], died: [0, 1], 'returned null': [1] }[outcome ?? '']
        assert.ok(fitting?.includes(ran), `work ${id} ${outcome}, and its handler ran ${ran} times`)
      }
    },
    ...ringWords(real, seats),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}
