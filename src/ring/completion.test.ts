import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { allocateCompletions, Completions, Entry, Reaper } from './completion.js'

checkForLeaks()

describe('the owner of a completion ring', () => {
  test('hears entries in order, one at a time, also when who hears one looks for more', () => {
    const words = allocateCompletions()
    const completions = new Completions(words)
    const log: string[] = []
    let heard = 0
    const reaper = new Reaper(
      words,
      () => 0,
      (_what, slot) => {
        log.push(`begin ${slot}`)
        if (slot < 3) completions.push(Entry.DONE, slot + 10, 0)
        assert.equal(reaper.reap(), false)
        assert.ok(completions.reaped() <= heard++, 'what is being heard is not given back')
        log.push(`end ${slot}`)
      },
    )
    for (const slot of [1, 2, 3]) completions.push(Entry.DONE, slot, 0)
    assert.equal(reaper.reap(), true)
    assert.deepEqual(
      log,
      [1, 2, 3, 11, 12].flatMap((slot) => [`begin ${slot}`, `end ${slot}`]),
    )
  })
})
