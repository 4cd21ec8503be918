import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UserWorkerError } from '../errors.js'
import { serverName } from './server-name.js'
import { current } from './current.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'

checkForLeaks()

describe("a worker's name", () => {
  test("keeps its number visible in the 12 bytes that follow 'uw:'", () => {
    const names = [
      serverName('img', 1),
      serverName('a-long-queue-name', 12),
      serverName('\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57', 3),
      serverName('x', 123_456_789_012),
    ]
    assert.deepEqual(names, ['img-1', 'a-long-qu-12', '\u6f22\u5b57\u6f22-3', 'x-123456789012'])
    for (const name of names.slice(0, 3)) assert.ok(Buffer.byteLength(name) <= 12)
  })
})

test('outside a handler there is no current work, and a code that says so', () => {
  assert.throws(
    current,
    (error: Error) => error instanceof UserWorkerError && error.code === 'ERR_NO_WORK',
  )
})
