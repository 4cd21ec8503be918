/**
 * Rows of the table of workers, claimed, read and released by several threads at once (`worker/table.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import * as memory from '../memory.js'
import { rowWordName } from './row-words.js'

interface Context {
  readonly words: memory.Words
  /** The row of `doomed`, which `survivor` made. */
  readonly doomedRow: number
  /** A row that nobody releases. */
  readonly keptRow: number
}

export default async function rows(code: Code): Promise<Protocol<Context>> {
  const table = (await code('worker/table.js')) as typeof import('../../../src/worker/table.js')
  const { at, claim, claimedRows, Field, parentOf, releaseTree } = table

  function numbersOf({ words }: Context, row: number): { row: number; id: number } {
    return { row, id: memory.load(words, at(row, Field.ID)) }
  }

  return {
    name: 'rows',
    promise:
      'No row and no number is given twice, and whoever is terminated while it claims a row, ' +
      'the release of its own row frees that one too, and no other.',
    setUp() {
      const words = table.emptyTable()
      return { words, doomedRow: claim(words, 0), keptRow: claim(words, 0) }
    },
    threads: {
      doomed: ({ words, doomedRow }) => claim(words, doomedRow),
      survivor({ words, doomedRow }, model) {
        model.kill('doomed')
        model.ended('doomed')
        releaseTree(words, doomedRow)
      },
      claimer: (context) => numbersOf(context, claim(context.words, 0)),
      reader: ({ words }) => claimedRows(words),
    },
    check({ threads }, context) {
      const { words, keptRow } = context
      const { doomed, survivor, claimer, reader } = threads
      assert.notEqual(doomed?.state, 'asleep', 'the doomed thread is stuck')
      assert.equal(survivor?.state, 'returned', 'the survivor is stuck')
      assert.ok(claimer?.state === 'returned', 'the claimer is stuck')
      assert.ok(reader?.state === 'returned', 'the reader is stuck')
      const mine = claimer.value as { row: number; id: number }
      assert.deepEqual(numbersOf(context, mine.row), mine, "the claimer's row changed")
      assert.equal(parentOf(words, mine.row), 0, "the claimer's row was given to another")
      const ids = [keptRow, mine.row].map((row) => numbersOf(context, row).id)
      assert.deepEqual(ids, [2, mine.id === 4 ? 4 : 3], 'a number was given twice')
      assert.ok((reader.value as number[]).includes(keptRow), 'the reader missed a row')
      for (const row of [keptRow, mine.row]) releaseTree(words, row)
      const left = words.findIndex((value, index) => value !== 0 && index >= at(1, 0))
      assert.equal(left, -1, `${rowWordName(table, left)} is left`)
    },
    wordName: (index) => rowWordName(table, index),
  }
}
