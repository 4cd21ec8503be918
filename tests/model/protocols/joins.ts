/**
 * Three workers that wait for each other's end in a circle, while a fourth waits for one of them (`worker/joins.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { telling, workerCode } from './worker-code.js'

export default async function joins(code: Code): Promise<Protocol<memory.Words>> {
  const real = await workerCode(code)
  const { beginJoin, claim, emptyTable } = real
  /** Whether the worker in `row` may wait for the one numbered `target`. Numbers are rows here. */
  const mayWait = (words: memory.Words, row: number, target: number): boolean =>
    beginJoin(words, target, row) !== null
  return {
    name: 'joins',
    promise:
      'Of waits that close a circle at least one is refused, whoever is first; and one that closes none ' +
      'never is.',
    setUp() {
      const words = emptyTable()
      for (let worker = 1; worker <= 4; worker++) claim(words, 0)
      return words
    },
    threads: {
      first: (words) => mayWait(words, 1, 2),
      second: (words) => mayWait(words, 2, 3),
      third: (words) => mayWait(words, 3, 1),
      outsider(words) {
        const join = beginJoin(words, 1, 4)
        join?.end()
        return join !== null && mayWait(words, 4, 2)
      },
    },
    check({ threads }, words) {
      const values = Object.values(threads).map((each) => {
        assert.ok(each.state === 'returned')
        return each.value
      })
      assert.ok(values.slice(0, 3).includes(false), 'three wait in a circle')
      assert.equal(values[3], true, 'a wait that closes no circle was refused')
      values.forEach((waits, index) => {
        const slot = memory.load(words, real.at(index + 1, real.Field.JOINS))
        assert.equal(slot !== 0, waits, 'what was refused is still entered, or the reverse')
      })
    },
    ...telling(real),
  }
}
