/**
 * The works of one key that workers go along by themselves, while the owner takes one out of the middle and hangs
 * another on the last, and one worker's thread is terminated (NEXT in `ring/slot.ts`, with `Serving`, `Lane` and
 * `KeyLines`).
 *
 * @module
 */
import type { Code, Protocol } from '../engine/protocol.js'
import { chainOf, type Chained } from './chain-code.js'

export default async function chain(code: Code): Promise<Protocol<Chained>> {
  return await chainOf(code, {
    name: 'chain',
    promise:
      'Of the works of a key one runs at a time, in their order, whoever withdraws or dies; each is ' +
      'settled once, and no slot is lost or freed while a worker may come to it.',
    doomed: 2,
    other: 1,
    tell(queue, begin) {
      queue.submit(1, true)
      const second = queue.submit(2, true)
      queue.submit(3, true)
      begin()
      queue.cancel(second)
      queue.submit(4, true)
    },
  })
}
