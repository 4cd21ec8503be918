/**
 * An owner that waits to be told of completions, and workers that complete, one of which is terminated
 * (`ring/sleep.ts`, with `Serving`; the owner's order is that of `Pulse` where looking again and again does not pay).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { callsOf, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { death, Queue, servingOf } from './ring-queue.js'

const seats = ['doomed', 'other']

export default async function reapWake(code: Code): Promise<Protocol<Rings>> {
  const real = await ringCode(code)
  const worker =
    (seat: number, most: number) =>
    (rings: Rings, model: Model): void => {
      const tell = (type: string): void => {
        // As if its work 0 were to say so: how many completions it has told of, and how often.
        const pushed = memory.load(rings.completions[seat] as memory.Words, 0)
        const before = memory.add(rings.calls, callsOf(seat, 0), 1)
        assert.ok(pushed > before, 'it tells of nothing that is new')
        model.post('events', type)
      }
      const serving = servingOf(real, rings, model, seat, { most, tell })
      for (;;) {
        model.receive(`go ${seat}`)
        serving.pump()
      }
    }
  return {
    name: 'reap-wake',
    promise:
      'An owner that waits hears of every work that ends, and of the end of a thread; each time it ' +
      'waits it is told once.',
    setUp: () => ringsOf(real, seats),
    threads: {
      owner(rings, model) {
        model.post('mercy', null)
        const queue = new Queue(real, rings, model)
        const pulse = new Waiting(real, rings, queue)
        queue.look = () => pulse.look()
        for (const id of [1, 2]) queue.submit(id)
        for (const seat of seats.keys()) model.post(`go ${seat}`, null)
        pulse.wait()
        while (queue.lane.runnable > 0) {
          const event = model.receive('events')
          if (event === 'look') queue.look()
          else if (event === 'exit') {
            queue.gone(0)
            // What it has given back, if it has.
            model.post('go 1', null)
          }
        }
        return pulse.count
      },
      doomed: worker(0, 1),
      other: worker(1, Infinity),
      death,
    },
    check({ threads: { owner } }, { calls }) {
      assert.ok(owner?.state === 'returned', 'the owner waits, and was not told')
      const told = seats.reduce((sum, _, seat) => sum + memory.load(calls, callsOf(seat, 0)), 0)
      const waited = Number(owner.value)
      assert.ok(told <= waited, `it waited ${waited} times, and was told ${told} times`)
    },
    ...ringWords(real, seats),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}

/** As `Pulse`, which looks only when it is told to. */
class Waiting {
  /** How often it said that it waits. */
  count = 0
  #waiting = false

  constructor(
    readonly real: Awaited<ReturnType<typeof ringCode>>,
    readonly rings: Rings,
    readonly queue: Queue,
  ) {}

  wait(): void {
    if (!this.#waiting) {
      this.#waiting = true
      this.count++
      this.real.ownerWaits(this.rings.owner)
    }
    this.queue.reap()
  }

  look(): void {
    if (this.#waiting) {
      this.#waiting = false
      this.real.ownerWorks(this.rings.owner)
    }
    this.queue.reap()
    if (this.queue.lane.runnable > 0) this.wait()
  }
}
