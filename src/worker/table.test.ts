import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as memory from '#memory'
import { checkForLeaks } from './leaks.fixture.js'
import { Worker } from '../os/thread.js'
import {
  at,
  claim,
  claimedRows,
  emptyTable,
  Field,
  parentOf,
  releaseTree,
  table,
  workerRows,
} from './table.js'

checkForLeaks()

describe('the table of workers', () => {
  test('a claimed row names its parent and has a number of its own', () => {
    const words = emptyTable()
    const parent = claim(words, 0)
    const child = claim(words, parent)
    assert.equal(parentOf(words, parent), 0)
    assert.equal(parentOf(words, child), parent)
    const ids = [parent, child].map((row) => memory.load(words, at(row, Field.ID)))
    assert.deepEqual(ids, [1, 2])
  })

  test('numbers are never given twice, rows are', () => {
    const words = emptyTable()
    const first = claim(words, 0)
    releaseTree(words, first)
    const second = claim(words, 0)
    assert.equal(second, first)
    assert.equal(memory.load(words, at(second, Field.ID)), 2)
  })

  test('INV-UW-5: releasing a row frees the whole subtree and nothing else, and clears its words', () => {
    const words = emptyTable()
    const [a, b] = [claim(words, 0), claim(words, 0)]
    const [aa, ab, ba] = [claim(words, a), claim(words, a), claim(words, b)]
    const aaa = claim(words, aa)
    memory.store(words, at(aaa, Field.EXIT_CODE), 9)
    releaseTree(words, a)
    assert.deepEqual(claimedRows(words), [b, ba])
    for (const row of [a, aa, ab, aaa]) {
      for (const field of Object.values(Field)) assert.equal(memory.load(words, at(row, field)), 0)
    }
  })

  test('UW-7: a full table is refused with EAGAIN, and one free row is enough again', () => {
    const words = emptyTable()
    let last = 0
    for (let count = 0; count < 4095; count++) last = claim(words, 0)
    assert.throws(() => claim(words, 0), { code: 'EAGAIN' })
    releaseTree(words, last)
    assert.equal(claim(words, 0), last)
  })

  test('a thread that is no worker leaves no rows behind when it ends, however it ends', async () => {
    const index = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const sleeper = 'data:text/javascript,export default (data, self) => self.sleepSync(60000)'
    table()
    for (const end of [
      'process.exit()',
      'parentPort.postMessage(1)',
      'setTimeout(() => { throw 1 })',
    ]) {
      const raw = new Worker(
        `const { parentPort } = require('node:worker_threads')
         import(${index}).then(async ({ UserWorker }) => {
           for (let count = 0; count < 3; count++) await (await UserWorker.create('${sleeper}')).start()
           ${end}
         })`,
        { eval: true },
      )
      raw.once('message', () => void raw.terminate())
      raw.once('error', () => {})
      await new Promise((resolve) => {
        raw.once('exit', resolve)
      })
      assert.deepEqual(workerRows(table()), [], end)
    }
  })

  test('a raw thread made by this one sees the same table', async () => {
    const words = table()
    const row = claim(words, 0)
    memory.store(words, at(row, Field.EXIT_CODE), 41)
    const raw = new Worker(
      `const { getEnvironmentData } = require('node:worker_threads')
       const words = getEnvironmentData('userworker.table.3')
       Atomics.add(words, ${at(row, Field.EXIT_CODE)}, 1)`,
      { eval: true },
    )
    await new Promise((resolve) => {
      raw.once('exit', resolve)
    })
    assert.equal(memory.load(words, at(row, Field.EXIT_CODE)), 42)
    releaseTree(words, row)
  })
})
