/**
 * Rows of owners that are no threads: made with their limits, forgotten, and freed with the thread that made them,
 * while others claim rows (`claimLimited` in `worker/limits.ts`, `worker/table.ts`, in the order of `Scope`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { rowWordName } from './row-words.js'

interface Context {
  readonly words: memory.Words
  /** The row of the thread `doomed`. */
  readonly doomedRow: number
}

export default async function ownerRows(code: Code): Promise<Protocol<Context>> {
  const table = (await code('worker/table.js')) as typeof import('../../../src/worker/table.js')
  const limits = (await code('worker/limits.js')) as typeof import('../../../src/worker/limits.js')
  const { at, below, claim, claimedRows, emptyTable, isWorker, ownerNumber, parentOf } = table
  const { releaseTree } = table
  const { claimLimited, limitsOf } = limits
  return {
    name: 'owner-rows',
    promise:
      'The row of an owner goes with the thread that made it, at whichever step that was terminated, ' +
      'and takes no other owner with it; no number is given twice.',
    setUp() {
      const words = emptyTable()
      return { words, doomedRow: claim(words, 0) }
    },
    // All of them are more than 2 million states.
    preemptions: 3,
    threads: {
      doomed({ words, doomedRow }, model) {
        const row = claimLimited(words, doomedRow, { workers: 1 })
        const number = ownerNumber(words, row)
        model.note('number', number)
        const worker = claim(words, row)
        releaseTree(words, worker)
        // As `forgotten`.
        if (ownerNumber(words, row) === number && below(words, row).length === 0)
          releaseTree(words, row)
      },
      survivor({ words, doomedRow }, model) {
        model.kill('doomed')
        model.ended('doomed')
        releaseTree(words, doomedRow)
      },
      other({ words }, model) {
        const row = claimLimited(words, 0, { workers: 1 })
        model.note('number', ownerNumber(words, row))
        return [row, claim(words, row)]
      },
    },
    check({ threads: { doomed, survivor, other }, log }, { words }) {
      assert.notEqual(doomed?.state, 'asleep', 'the doomed thread is stuck')
      assert.equal(survivor?.state, 'returned', 'the survivor is stuck')
      assert.ok(other?.state === 'returned', 'the other thread is stuck')
      const [owner, worker] = other.value as readonly [number, number]
      assert.equal(parentOf(words, worker), owner, "its worker's row is another's")
      assert.equal(parentOf(words, owner), 0, "its row is another's")
      assert.ok(!isWorker(words, owner), 'its row is no owner any more')
      assert.equal(limitsOf(words, owner).workers, 1, 'its limit is gone')
      assert.deepEqual(
        claimedRows(words).toSorted((a, b) => a - b),
        [owner, worker].toSorted((a, b) => a - b),
        'a row was left behind',
      )
      const numbers = log.map(({ value }) => value)
      assert.equal(new Set(numbers).size, numbers.length, 'a number was given twice')
      releaseTree(words, owner)
      const left = words.findIndex((value, index) => value !== 0 && index >= at(1, 0))
      assert.equal(left, -1, `${rowWordName(table, left)} is left`)
      assert.ok(memory.load(words, at(0, 4)) >= numbers.length)
    },
    wordName: (index) => rowWordName(table, index),
  }
}
