/**
 * The works of one key: two workers that run them, an owner that hangs works on and withdraws them, and the end of one
 * worker's thread (NEXT in `ring/slot.ts`, with `Serving`, `Lane` and `KeyLines`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { callsIn, ringCode, ringsOf, ringWords, slotStateName, type Rings } from './ring-code.js'
import { Queue, servingOf, type Around, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'other', 'owner']
const ids = [1, 2, 3, 4]

interface Context extends Rings {
  /** No code's: twice the number of the last work of the key that began, and 1 more while it runs. */
  readonly line: memory.Words
}

/** A handler of the key's works: each finds that the one before it has ended, and was an earlier one. */
function inOrder({ line }: Context): Required<Pick<Around, 'call'>> {
  return {
    call(id) {
      const before = memory.swap(line, 0, 2 * id + 1)
      assert.equal(before % 2, 0, `work ${id} runs beside work ${(before - 1) / 2}`)
      assert.ok(before < 2 * id, `work ${id} runs after work ${before / 2}`)
      memory.store(line, 0, 2 * id)
    },
  }
}

export default async function chain(code: Code): Promise<Protocol<Context>> {
  const real = await ringCode(code)
  const worker =
    (seat: number) =>
    (context: Context, model: Model): void =>
      void servingOf(real, context, model, seat, inOrder(context)).pump()
  return {
    name: 'chain',
    promise:
      'Of the works of a key one runs at a time, in their order, whoever withdraws or dies; each is ' +
      'settled once, and no slot is lost or freed while a worker may come to it.',
    setUp: () => ({ ...ringsOf(real, seats), line: memory.allocate(1) }),
    threads: {
      owner(context, model) {
        const queue = new Queue(real, context, model)
        queue.buried = (id) => memory.replace(context.line, 0, 2 * id + 1, 2 * id)
        const works = [1, 2, 3].map((id) => queue.submit(id, true))
        model.kill('doomed')
        queue.cancel(works[1] ?? assert.fail())
        queue.submit(4, true)
        model.ended('doomed')
        queue.gone(0)
        model.ended('other')
        queue.gone(1)
        queue.runRest(2, inOrder(context))
        assert.equal(queue.leak(), null)
        return queue.outcomes as never
      },
      doomed: worker(0),
      other: worker(1),
    },
    check({ threads: { owner } }, context) {
      assert.ok(owner?.state === 'returned', 'the owner is stuck')
      const outcomes = owner.value as unknown as Outcomes
      for (const id of ids) {
        const ran = callsIn(context, id)
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
