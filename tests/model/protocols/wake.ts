/**
 * A loop that sleeps, blocked and then in its event loop, and two who give it something to do (`wake`, `nap`, `doze`
 * in `worker/control.ts`, in the order of `loop.ts` and of `idle` in `self.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Model, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { oneWorker, row, telling, workerCode } from './worker-code.js'

interface Context {
  readonly words: memory.Words
  /** How many things there are to do. */
  readonly inbox: memory.Words
}

/** Two from each of two wakers. */
const items = 4

export default async function wake(code: Code): Promise<Protocol<Context>> {
  const real = await workerCode(code)
  const { controlOf, doze, Flag, hasFlag, listen, nap, rouse } = real
  const give = ({ words, inbox }: Context, model: Model): void => {
    memory.add(inbox, 0, 1)
    if (real.wake(words, row)) model.post('look', null)
  }
  return {
    name: 'wake',
    promise:
      'What is put in before a wake is found by a batch after it, wherever the worker was, and a ' +
      'worker that is awake gets no message.',
    setUp: () => ({
      words: oneWorker(real, 'loaded', 'start', 'enter'),
      inbox: memory.allocate(1),
    }),
    threads: {
      worker({ words, inbox }, model, done) {
        if (done === items) return
        const heard = listen(words, row)
        const found = memory.load(inbox, 0)
        if (found > Number(done ?? 0)) model.again(found)
        if (!nap(words, row, heard, 5)) {
          doze(words, row)
          if (listen(words, row) === heard) model.receive('look')
          rouse(words, row)
        }
        model.again(done)
      },
      waker(context, model) {
        give(context, model)
        give(context, model)
      },
      other(context, model) {
        give(context, model)
        give(context, model)
      },
    },
    check({ threads: { worker, waker, other } }, { words }) {
      assert.ok(waker?.state === 'returned' && other?.state === 'returned', 'a waker is stuck')
      const sleeps = worker?.state === 'asleep'
      assert.ok(!sleeps || worker.timed, 'the worker sleeps, and there is something to do')
      if (!sleeps)
        assert.ok(!hasFlag(controlOf(words, row), Flag.DOZING), 'awake, and says it dozes')
    },
    ...telling(real),
  }
}
