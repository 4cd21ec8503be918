/**
 * Claims of the last place below an owner with a limit, by two threads at once (`claimWithin` in
 * `worker/limits.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import type * as memory from '../memory.js'
import { rowWordName } from './row-words.js'

interface Tenants {
  readonly words: memory.Words
  /** An owner that may have one worker, and one below it. */
  readonly tenant: number
  readonly below: number
}

export default async function limit(code: Code): Promise<Protocol<Tenants>> {
  const table = (await code('worker/table.js')) as typeof import('../../../src/worker/table.js')
  const limits = (await code('worker/limits.js')) as typeof import('../../../src/worker/limits.js')
  const { claimLimited, claimWithin } = limits
  return {
    name: 'limit',
    promise:
      'Of two who claim the last place below an owner at most one gets it, whether it is that owner ' +
      'they name or one below; and who does not get it leaves nothing behind.',
    setUp() {
      const words = table.emptyTable()
      const tenant = claimLimited(words, 0, { workers: 1 })
      return { words, tenant, below: claimLimited(words, tenant, {}) }
    },
    threads: {
      one: ({ words, tenant }) => claimWithin(words, tenant, 2).row,
      other: ({ words, below }) => claimWithin(words, below, 2).row,
    },
    check({ threads }, { words }) {
      const { one, other } = threads
      assert.ok(one?.state === 'returned', 'one is stuck')
      assert.ok(other?.state === 'returned', 'the other is stuck')
      const admitted = [one.value, other.value].filter((row) => row !== null)
      assert.ok(admitted.length <= 1, 'there is one more than the limit')
      assert.equal(table.workerRows(words).length, admitted.length, 'a row is left')
    },
    wordName: (index) => rowWordName(table, index),
  }
}
