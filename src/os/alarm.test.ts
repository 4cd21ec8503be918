import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { Alarm } from './alarm.js'
import { now } from './clock.js'
import { PollSet } from './events.js'

checkForLeaks()

test('an alarm goes off at its time, and not before', () => {
  const alarm = new Alarm()
  const set = new PollSet()
  set.set([alarm.fd])
  const begun = now()
  alarm.set(20.5)
  assert.equal(set.wait(0), 0)
  assert.equal(set.wait(60_000), 1)
  assert.ok(now() - begun >= 20)
  alarm.clear()
  assert.equal(set.wait(0), 0)
  alarm.close()
})

test('an alarm that is set anew forgets the time before', () => {
  const alarm = new Alarm()
  const set = new PollSet()
  set.set([alarm.fd])
  alarm.set(3_600_000)
  alarm.set(0)
  assert.equal(set.wait(60_000), 1)
  alarm.set(3_600_000)
  assert.equal(set.wait(0), 0)
  alarm.close()
})
