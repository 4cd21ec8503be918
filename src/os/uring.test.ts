import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { now } from './clock.js'
import { clear, close, event, signal } from './events.js'
import { map, memoryFile, pageBytes, unmap, viewOf } from './mapping.js'
import { operations, Uring } from './uring.js'

checkForLeaks()

/** Why there are no rings here; false where there are. */
function noRings(): string | false {
  try {
    new Uring(1).close()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

function withRing(entries: number, run: (ring: Uring) => void): void {
  const ring = new Uring(entries)
  try {
    run(ring)
  } finally {
    ring.close()
  }
}

/** All that has come, by mark. */
function reaped(ring: Uring): Map<number, number> {
  const results = new Map<number, number>()
  ring.reap((mark, result) => results.set(mark, result))
  return results
}

describe('a ring of system calls', { skip: noRings() }, () => {
  test('does what is noted, and tells what came of it by its mark', () => {
    withRing(8, (ring) => {
      const fd = memoryFile('ring', 3 * pageBytes)
      const address = map(fd, 3 * pageBytes)
      const bytes = new Uint8Array(viewOf(address, 3 * pageBytes))
      bytes.fill(7, 0, pageBytes)
      const { IORING_OP_READ } = operations
      assert.ok(ring.note(IORING_OP_READ, fd, address + pageBytes, pageBytes, 0, 0, 5))
      assert.ok(ring.note(IORING_OP_READ, -1, address, 1, 0, 0, 2 ** 32 - 2))
      assert.deepEqual(reaped(ring), new Map(), 'nothing is done before it is submitted')
      ring.enter(2, 60_000)
      assert.deepEqual(
        reaped(ring),
        new Map([
          [5, pageBytes],
          [2 ** 32 - 2, -9],
        ]),
      )
      assert.ok(bytes.subarray(0, 2 * pageBytes).every((byte) => byte === 7))
      assert.equal(bytes[2 * pageBytes], 0)
      unmap(address, 3 * pageBytes)
      close(fd)
    })
  })

  test('waits for descriptors too, each once', () => {
    withRing(8, (ring) => {
      const fd = event()
      assert.ok(ring.notePoll(fd, 1))
      ring.enter(0, 0)
      assert.equal(ring.isReady, false)
      signal(fd)
      ring.enter(1, 60_000)
      assert.ok(ring.isReady)
      assert.deepEqual([...reaped(ring).keys()], [1])
      clear(fd)
      signal(fd)
      ring.enter(1, 20)
      assert.equal(ring.isReady, false)
      close(fd)
    })
  })

  test('gives up waiting when its time is over', () => {
    withRing(8, (ring) => {
      const begun = now()
      ring.enter(1, 30)
      assert.ok(now() - begun >= 29)
      assert.equal(ring.isReady, false)
    })
  })

  test('takes more than it has entries, by submitting at once', () => {
    withRing(4, (ring) => {
      const fd = memoryFile('ring', pageBytes)
      const address = map(fd, pageBytes)
      for (let mark = 0; mark < 7; mark++)
        assert.ok(ring.note(operations.IORING_OP_READ, fd, address, 1, mark, 0, mark))
      ring.enter(7, 60_000)
      assert.deepEqual(new Set(reaped(ring).keys()), new Set([0, 1, 2, 3, 4, 5, 6]))
      unmap(address, pageBytes)
      close(fd)
    })
  })
})
