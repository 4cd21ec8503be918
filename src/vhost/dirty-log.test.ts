import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { DirtyPages } from './dirty-log.js'

checkForLeaks()

const logBytes = 32
const pages = logBytes * 8

/** The specification's own words: page by page, byte by byte. */
function reference(writes: readonly (readonly [number, number])[]): Uint8Array {
  const log = new Uint8Array(logBytes)
  for (const [guest, length] of writes) {
    const last = Math.floor((guest + length - 1) / 4096)
    for (let page = Math.floor(guest / 4096); page <= last && page < pages; page += 1) {
      log[page >> 3] = (log[page >> 3] ?? 0) | (1 << (page % 8))
    }
  }
  return log
}

describe('the dirty log', () => {
  test('has a bit for each page that a write touches, and no other', () => {
    const guest = fc.oneof(
      fc.nat((pages + 40) * 4096),
      fc.nat(pages + 1).map((page) => page * 4096),
      fc.nat(pages + 1).map((page) => page * 4096 + 4095),
    )
    const length = fc.oneof(fc.nat(3), fc.nat(3 * 4096), fc.nat(80 * 4096))
    fc.assert(
      fc.property(fc.array(fc.tuple(guest, length), { maxLength: 8 }), (writes) => {
        const log = new ArrayBuffer(logBytes)
        const dirty = new DirtyPages(log)
        for (const [from, bytes] of writes) dirty.mark(from, bytes)
        assert.deepEqual(new Uint8Array(log), reference(writes.filter(([, bytes]) => bytes > 0)))
      }),
      { numRuns: 5000 },
    )
  })

  test('is not written behind its end, however far the address', () => {
    const log = new ArrayBuffer(8)
    const dirty = new DirtyPages(log)
    dirty.mark(2 ** 52, 4096)
    dirty.mark(64 * 4096, 2 ** 40)
    assert.deepEqual(new Uint8Array(log), new Uint8Array(8))
    dirty.mark(63 * 4096, 2 ** 40)
    assert.equal(new Uint8Array(log)[7], 0x80)
  })
})
