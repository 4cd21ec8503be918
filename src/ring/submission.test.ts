import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { allocateClass, cells } from './layout.js'
import { writeSmall } from './payload.js'
import { fill, Kind, withdraw } from './slot.js'
import { Submission, takeNext } from './submission.js'

checkForLeaks()

describe('a submission ring', () => {
  test('has as many slots as there are, and one that is released is there again', () => {
    const submission = new Submission(allocateClass(4).words)
    const slots = [1, 2, 3, 4].map(() => submission.acquire())
    assert.deepEqual(slots.sort(), [0, 1, 2, 3])
    assert.equal(submission.acquire(), -1)
    submission.release(2)
    assert.equal(submission.acquire(), 2)
  })

  test('full of cells of cancelled works takes another one, though no worker came by', () => {
    const { words } = allocateClass(4)
    const submission = new Submission(words)
    const publish = (): number => {
      const slot = submission.acquire()
      fill(words, slot, Kind.READY, submission.generation(slot))
      submission.publish(slot, 1)
      return slot
    }
    for (let cell = 0; cell < cells; cell++) {
      assert.ok(submission.hasCell(1), `cell ${cell}`)
      const slot = publish()
      assert.ok(withdraw(words, slot))
      submission.release(slot)
    }
    assert.ok(submission.hasCell(1))
    const slot = publish()
    assert.equal(takeNext(words, 1, 0), slot)
    assert.equal(takeNext(words, 1, 0), -1)
  })

  test('full of works takes none', () => {
    const { words } = allocateClass(4)
    const submission = new Submission(words)
    const slot = submission.acquire()
    fill(words, slot, Kind.READY, submission.generation(slot))
    for (let cell = 0; cell < cells; cell++) submission.publish(slot, 0)
    assert.ok(!submission.hasCell(0))
  })
})

describe('a slot', () => {
  test('has room for few values only, and for small ones', () => {
    const memory = allocateClass(1)
    assert.notEqual(writeSmall(memory, 0, [1, 'text']), -1)
    for (const values of [Array.from({ length: 20 }, () => 1), [{}], ['a', 1], ['x'.repeat(100)]])
      assert.equal(writeSmall(memory, 0, values), -1)
  })
})
