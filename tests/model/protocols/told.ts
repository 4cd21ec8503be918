/**
 * Works that are cancelled while they run, and one that comes into the slot after them (TOLD in `ring/slot.ts`, with
 * `Lane`, `Serving` and `SignalPoints`; the owner's order is that of `Server.abort`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, End, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import {
  callsIn,
  ringCode,
  ringsOf,
  ringWords,
  slotStateName,
  type RingCode,
  type Rings,
} from './ring-code.js'
import { Queue, servingOf, type Outcomes } from './ring-queue.js'

const seats = ['doomed', 'owner']
const ids = [1, 2, 3]

interface Context extends Rings {
  /** For each work: 1 before it is told, 2 after. */
  readonly asked: memory.Words
  /** For each work, whether it has seen that it was told. */
  readonly heard: memory.Words
}

export default async function told(code: Code): Promise<Protocol<Context>> {
  const real = await ringCode(code)
  const words = ringWords(real, seats)
  const worker = (context: Context, model: Model): void => {
    const { asked, heard } = context
    let runs = 0
    const call = (id: number): void => {
      runs = id
      const before = memory.load(asked, id)
      const work = real.running.getStore()
      try {
        work?.checkpoint()
      } catch (error) {
        // What takes the thread out of a step goes on.
        if (error !== id) throw error
        memory.store(heard, id, 1)
      }
      assert.ok(before < 2 || memory.load(heard, id) === 1, `work ${id} was told, and goes on`)
    }
    // As `Post.receive`.
    const receive = (isThere: () => boolean): void => {
      while (!isThere()) {
        const message = model.tryReceive('to doomed')
        if (message === undefined) return
        const id = Number(message)
        serving.find(id)?.abort(id)
      }
    }
    const looked = (isThere: () => boolean): void => {
      const isTold = memory.load(asked, runs) > 0
      assert.ok(isTold, `work ${runs} looks for a message, and nobody told it`)
      receive(isThere)
    }
    const serving = servingOf(real, context, model, 0, { call, receive: looked })
    serving.pump()
  }
  return {
    name: 'told',
    promise:
      'A work that was told to end while it ran sees so at its next checkpoint, and with the reason; one ' +
      'that nobody told, in the same slot say, sees nothing.',
    setUp: () => ({
      ...ringsOf(real, seats),
      asked: memory.allocate(8),
      heard: memory.allocate(8),
    }),
    threads: {
      owner: (context, model) => cancels(real, context, model),
      doomed: worker,
    },
    check,
    ...words,
    wordName(index, context, of) {
      if (of === context.asked) return `asked of work ${index}`
      if (of === context.heard) return `heard by work ${index}`
      return words.wordName(index, context, of)
    },
    valueName: (value, index) => slotStateName(real, value, index),
  }
}

/** Each work is settled once, as it went, and was told only if somebody told it. */
function check({ threads: { owner } }: End, context: Context): void {
  assert.ok(owner?.state === 'returned', 'the owner is stuck')
  const outcomes = owner.value as unknown as Outcomes
  for (const id of ids) {
    const ran = callsIn(context, id)
    assert.equal(outcomes[id]?.length, 1, `work ${id} is settled as ${outcomes[id]?.join()}`)
    const fitting = { canceled: [0], died: [0, 1], 'returned null': [1] }[outcomes[id][0] ?? '']
    assert.ok(fitting?.includes(ran), `work ${id}: ${outcomes[id][0]}, and it ran ${ran} times`)
    const isTold = memory.load(context.asked, id) > 0
    assert.ok(isTold || memory.load(context.heard, id) === 0, `nobody told work ${id}`)
  }
}

/** Cancels two of its works, whether they run or not. */
function cancels(real: RingCode, context: Context, model: Model): Outcomes {
  const queue = new Queue(real, context, model)
  const cancel = (id: number): void => {
    const work = queue.works[id - 1] ?? assert.fail()
    if (queue.cancel(work) || work.state !== 'running') return
    memory.store(context.asked, id, 1)
    model.post('to doomed', id)
    queue.lane.tell(work)
    memory.store(context.asked, id, 2)
  }
  queue.submit(1)
  queue.submit(2)
  cancel(1)
  queue.reap()
  // Into the slot of the first, if it has ended.
  queue.submit(3)
  model.kill('doomed')
  cancel(2)
  model.ended('doomed')
  queue.gone(0)
  queue.runRest(1)
  assert.equal(queue.leak(), null)
  return queue.outcomes
}
