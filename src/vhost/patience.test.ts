import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UserWorkerError } from '../errors.js'
import { Pending } from '../os/pending.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { patiently, within } from './patience.js'

checkForLeaks()

describe('waiting for what others have in hand', () => {
  test('tells nobody of what comes soon', async () => {
    const told: Error[] = []
    assert.equal(await patiently('this', Promise.resolve(7), (problem) => told.push(problem)), 7)
    await assert.rejects(
      patiently('that', Promise.reject(new Error('no')), (problem) => told.push(problem)),
      /no/,
    )
    assert.deepEqual(told, [])
  })

  test('tells once of what takes long, and goes on waiting', async () => {
    const pending = new Pending<number>('a test')
    const { promise } = pending
    const told = await new Promise<UserWorkerError>((tell) => {
      void patiently('Device d: its close() has not come to an end', promise, tell).then((value) =>
        assert.equal(value, 8),
      )
    })
    assert.equal(told.code, 'ETIME')
    assert.match(told.message, /^Device d: its close/)
    pending.resolve(8)
    await promise
  })

  test('gives up where it is told to, and only then', async () => {
    const late = (): Error => new Error('too late')
    const never = new Pending<number>('a test')
    await assert.rejects(within(1, never.promise, late), /too late/)
    never.resolve(0)
    assert.equal(await within(60_000, Promise.resolve(9), late), 9)
  })
})
