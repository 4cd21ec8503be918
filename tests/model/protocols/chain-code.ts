/**
 * What the protocols of a key's chain have in common: two workers that run its works, the end of one worker's thread,
 * and what must have become of each work.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { callsIn, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { Queue, servingOf, type Around, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'other', 'owner']

export interface Chained extends Rings {
  /** No code's: twice the number of the last work of the key that began, and 1 more while it runs. */
  readonly line: memory.Words
}

/** The number of a work without a key. */
export const unkeyed = 7

/** A handler of the key's works: each finds that the one before it has ended, and was an earlier one. */
function inOrder({ line }: Chained): Around {
  return {
    call(id) {
      if (id === unkeyed) return
      const before = memory.swap(line, 0, 2 * id + 1)
      assert.equal(before % 2, 0, `work ${id} runs beside work ${(before - 1) / 2}`)
      assert.ok(before < 2 * id, `work ${id} runs after work ${before / 2}`)
      memory.store(line, 0, 2 * id)
    },
  }
}

/** What differs between the protocols. */
interface Story {
  readonly name: string
  readonly promise: string
  readonly preemptions?: number
  /** How many works each worker takes, at most. */
  readonly doomed: number
  readonly other: number
  /** What the owner does. It calls `begin` when the one thread may be terminated. */
  readonly tell: (queue: Queue, begin: () => void) => void
}

export async function chainOf(
  code: Code,
  { tell, doomed, other, ...named }: Story,
): Promise<Protocol<Chained>> {
  const real = await ringCode(code)
  const worker =
    (seat: number, most: number) =>
    (rings: Chained, model: Model): void =>
      void servingOf(real, rings, model, seat, { most, ...inOrder(rings) }).pump()
  return {
    ...named,
    setUp: () => ({ ...ringsOf(real, seats), line: memory.allocate(1) }),
    threads: {
      owner(rings, model) {
        const queue = new Queue(real, rings, model)
        queue.buried = (id) => memory.replace(rings.line, 0, 2 * id + 1, 2 * id)
        tell(queue, () => model.kill('doomed'))
        model.ended('doomed')
        queue.gone(0)
        model.ended('other')
        queue.gone(1)
        queue.runRest(2, inOrder(rings))
        assert.equal(queue.leak(), null)
        return [queue.works.map(({ id }) => id), queue.outcomes]
      },
      doomed: worker(0, doomed),
      other: worker(1, other),
    },
    check({ threads: { owner } }, rings) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      const [ids, outcomes] = owner.value as unknown as [number[], Outcomes]
      for (const id of ids) {
        const ran = callsIn(rings, id)
        assert.equal(outcomes[id]?.length, 1, `work ${id} is settled as ${outcomes[id]?.join()}`)
        const [outcome = ''] = outcomes[id]
        const fitting = { canceled: [0], died: [0, 1], 'returned null': [1] }[outcome]
        assert.ok(fitting?.includes(ran), `work ${id} ${outcome}, and its handler ran ${ran} times`)
      }
    },
    ...ringWords(real, seats),
    valueName: (value, index) => slotStateName(real, value, index),
  }
}
