import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as memory from '#memory'
import { microseconds, now } from '../../os/clock.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { diskWords, requestsBucket } from './disk-words.js'
import { RateLimit } from './rate-limit.js'

checkForLeaks()

/** What the waits are taken from: they are counted from the time of the call. */
const slackMs = 2000

test('each that comes waits for those before, of all threads', () => {
  const words = diskWords(512)
  const threads = [0, 1].map(() => new RateLimit(words, { bps: null, iops: 0.1 }))
  const waits = [0, 1, 2, 3].map((turn) => threads[turn % 2]?.take(4096) ?? -1)
  assert.equal(waits[0], 0)
  for (const [turn, wait] of waits.entries())
    assert.ok(Math.abs(wait - 10_000 * turn) < slackMs, waits.join(' '))
})

test('a limit on bytes goes by how many they are, to a part of a microsecond', () => {
  const words = diskWords(512)
  const limit = new RateLimit(words, { bps: 3e6, iops: null })
  let wait = 0
  // 8192 bytes cost 2730.67 µs, and 10,000 of them 27.3 s.
  for (let turn = 0; turn < 10_000; turn++) wait = limit.take(8192)
  assert.ok(Math.abs(wait - 27_307) < slackMs, `${wait}`)
})

test('no request waits longer than a quarter of an hour or so, whatever it costs', () => {
  const limit = new RateLimit(diskWords(512), { bps: 512, iops: null })
  for (let turn = 0; turn < 10; turn++) limit.take(2 ** 30)
  assert.ok(limit.take(1) <= 2 ** 30 / 1000)
})

test('after a long pause nobody waits, though the clock of 32 bits has gone round', () => {
  const words = diskWords(512)
  const limit = new RateLimit(words, { bps: null, iops: 10 })
  // As it stood an hour ago: what is past looks like ten minutes to come.
  memory.store(words, requestsBucket, (microseconds() + 600_000_000) | 0)
  memory.store(words, requestsBucket + 1, Math.floor(now() / 1000) - 3600)
  assert.equal(limit.take(1), 0)
})
