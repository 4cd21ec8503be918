/**
 * Workers that look for works and sleep, in the order of `serveUntilStopped` of `wq/entry.ts`, an owner that submits
 * and wakes, and the end of one worker's thread (`ring/sleep.ts`, with `Serving`). That a wake is not lost between the
 * look and the sleep is the protocol `wake`; here it is a message that stays until it is taken.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import { callsIn, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { Queue, servingOf, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'other']
const ids = [1]

export default async function submitWake(code: Code): Promise<Protocol<Rings>> {
  const real = await ringCode(code)
  const worker =
    (seat: number) =>
    (rings: Rings, model: Model): void => {
      const serving = servingOf(real, rings, model, seat)
      // Where it has found no work.
      for (;;) {
        if (serving.lieDown()) model.receive(`wake ${seat}`)
        const woken = serving.getUp()
        if (serving.pump() === 'full') serving.passOn(woken)
      }
    }
  return {
    name: 'submit-wake',
    promise:
      'No worker sleeps while a work is ready, also when the one that was woken for it is terminated; ' +
      'whoever is awake is not woken.',
    setUp: () => ringsOf(real, seats),
    // All of them are more than 2 million states.
    preemptions: 3,
    threads: {
      owner(rings, model) {
        const wake = (seat: number): void => model.post(`wake ${seat}`, null)
        const queue = new Queue(real, rings, model, wake)
        for (const id of ids) queue.submit(id)
        // Only at times: an end wakes the other, which would hide that nobody was woken.
        if (model.tryReceive('mercy') === undefined) {
          model.kill('doomed')
          model.ended('doomed')
          queue.gone(0)
        }
        return queue.outcomes
      },
      doomed: worker(0),
      other: worker(1),
      chance: (_, model) => model.post('mercy', null),
    },
    check({ threads: { owner, other } }, rings) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      assert.ok(other?.state === 'asleep', 'the other worker has ended')
      const outcomes = owner.value as unknown as Outcomes
      for (const id of ids) {
        const isOver = callsIn(rings, id) === 1 || outcomes[id]?.[0] === 'died'
        assert.ok(isOver, `work ${id} is ready, and the other worker sleeps`)
      }
      assert.ok(real.isAsleep(rings.words, 1), 'it sleeps, and does not say so')
    },
    ...ringWords(real, seats),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}
