import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from '../index.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { failureOf } from './contract/support.fixture.js'
import type * as Handlers from './handlers.fixture.js'

checkForLeaks()

const module = new URL('./handlers.fixture.js', import.meta.url)

describe("a work that follows another queue's", () => {
  test('runs when that one is done', async () => {
    await using one = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    await using other = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    const first = one.enqueue('sleep', [20])
    const second = other.enqueue('add', [1, 2], { after: [first, first] })
    const third = other.enqueue('add', [3, 4], { after: [first, second] })
    assert.equal(second.state, 'pending')
    assert.deepEqual(await Promise.all([second.result, third.result]), [3, 7])
    assert.equal(first.state, 'done')
  })

  test('is cancelled when that one is not done (WQ-36, WQ-41)', async () => {
    await using one = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    await using other = new WorkQueue<typeof Handlers>(module, { maxWorkers: 1 })
    const first = one.enqueue('fail', ['own'])
    const second = other.enqueue('add', [1, 2], { after: first })
    assert.equal((await failureOf(second.result)).code, 'ECANCELED')
    assert.equal((await failureOf(first.result)).code, 'E_OWN')
  })
})
