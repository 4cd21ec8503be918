import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextTurn } from '../../os/clock.js'
import { inLanes } from './lanes.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

describe('inLanes', () => {
  test('takes every item once, in order, and no more at a time than it may', async () => {
    const items = Array.from({ length: 50 }, (_, index) => index)
    const taken: number[] = []
    let underWay = 0
    await inLanes(4, items, async (item) => {
      taken.push(item)
      assert.ok(++underWay <= 4)
      for (let turn = 0; turn <= item % 3; turn++) await nextTurn()
      underWay--
    })
    assert.deepEqual(taken, items)
  })

  test('ends with the first failure, after what was under way', async () => {
    let underWay = 0
    let failures = 0
    const run = async (item: number): Promise<void> => {
      underWay++
      try {
        for (let turn = 0; turn < item; turn++) await nextTurn()
        if (item > 1) throw new Error(`failure of ${item}`)
      } finally {
        underWay--
      }
    }
    await assert.rejects(
      inLanes(3, [9, 5, 1, 2, 3], run, () => failures++),
      /^Error: failure of 2$/,
    )
    assert.deepEqual({ underWay, failures }, { underWay: 0, failures: 1 })
  })

  test('does nothing with no items', () => inLanes(3, [], () => assert.fail()))
})
