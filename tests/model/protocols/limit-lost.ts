/**
 * A claim of a row below an owner with a limit, while another thread does the same, and is terminated
 * (`claimWithin` in `worker/limits.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import type * as memory from '../memory.js'
import { rowWordName } from './row-words.js'

interface Tenants {
  readonly words: memory.Words
  /** An owner that may have two workers, and one below it. */
  readonly tenant: number
  readonly below: number
  /** The row of `doomed`, below the tenant. */
  readonly doomedRow: number
}

export default async function limitLost(code: Code): Promise<Protocol<Tenants>> {
  const table = (await code('worker/table.js')) as typeof import('../../../src/worker/table.js')
  const limits = (await code('worker/limits.js')) as typeof import('../../../src/worker/limits.js')
  const { claimLimited, claimWithin } = limits
  const { emptyTable, releaseTree, workerRows } = table
  return {
    name: 'limit-lost',
    promise:
      'After a thread was terminated in the middle of a claim, its place below the owner is free again, ' +
      'and no other.',
    setUp() {
      const words = emptyTable()
      const tenant = claimLimited(words, 0, { workers: 2 })
      const below = claimLimited(words, tenant, {})
      const doomedRow = claimWithin(words, tenant).row ?? 0
      return { words, tenant, below, doomedRow }
    },
    threads: {
      doomed: ({ words, doomedRow }) => claimWithin(words, doomedRow, 2).row,
      claimer: ({ words, below }) => claimWithin(words, below, 2).row,
      survivor({ words, doomedRow }, model) {
        model.kill('doomed')
        model.ended('doomed')
        releaseTree(words, doomedRow)
      },
    },
    check({ threads }, { words, tenant }) {
      const { doomed, claimer, survivor } = threads
      assert.notEqual(doomed?.state, 'asleep')
      assert.equal(survivor?.state, 'returned')
      assert.ok(claimer?.state === 'returned', 'the claimer is stuck')
      const mine = claimer.value === null ? 0 : 1
      assert.equal(workerRows(words).length, mine, 'a place was lost, or given twice')
      assert.notEqual(claimWithin(words, tenant).row, null, 'a free place is refused')
      assert.equal(claimWithin(words, tenant).row === null, mine === 1, 'one too many')
    },
    preemptions: 2,
    wordName: (index) => rowWordName(table, index),
  }
}
