/**
 * The works of one key whose worker does not go on with the next, as something more urgent waits or the worker
 * leaves: the owner makes it ready, unless it has withdrawn it (TURN in `ring/completion.ts`, with `Serving` and
 * `Lane`).
 *
 * @module
 */
import type { Code, Protocol } from '../engine/protocol.js'
import { chainOf, unkeyed, type Chained } from './chain-code.js'
import { high } from './ring-queue.js'

export default async function turn(code: Code): Promise<Protocol<Chained>> {
  return await chainOf(code, {
    name: 'turn',
    promise:
      'A work whose turn it is goes to whoever is first, once, in the order of its key; or it was ' +
      'withdrawn, and its slot is free when nobody comes to it any more.',
    doomed: 1,
    other: 2,
    // All of them are 2.2 million states (`--preemptions Infinity --states 3000000`).
    preemptions: 3,
    tell(queue, begin) {
      queue.submit(1, true)
      const second = queue.submit(2, true)
      queue.submit(unkeyed, false, high)
      begin()
      queue.reap()
      queue.cancel(second)
      queue.submit(3, true)
      queue.reap()
    },
  })
}
