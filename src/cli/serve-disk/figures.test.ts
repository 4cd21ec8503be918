import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { rateLine } from './meter.js'
import { bytesIn, countIn, shownBytes } from './numbers.js'

checkForLeaks()

describe('the figures of serve-disk', () => {
  const requests = { reads: 0, writes: 0, flushes: 0, discards: 0, zeroes: 0, others: 0 }
  const results = { ioErrors: 0, unsupported: 0, bytesRead: 0, bytesWritten: 0, faults: [] }
  const stats = (counts: object) => ({ ...requests, ...results, ...counts })

  test('are what was done in a second', () => {
    const before = stats({ reads: 10, writes: 1, bytesRead: 1e6 })
    const now = stats({ reads: 2010, writes: 501, flushes: 500, bytesRead: 9e6, bytesWritten: 2e6 })
    assert.equal(rateLine(before, now, 1000), '3,000 IOPS, 8.0 MB/s read, 2.0 MB/s written')
    assert.equal(rateLine(before, now, 2000), '1,500 IOPS, 4.0 MB/s read, 1.0 MB/s written')
  })

  test('are right when a counter goes round', () => {
    const line = rateLine(stats({ reads: 2 ** 32 - 1 }), stats({ reads: 4 }), 1000)
    assert.equal(line, '5 IOPS, 0.0 MB/s read, 0.0 MB/s written')
  })

  test('are typed with units', () => {
    const typed = ['512', '4k', '10M', '2G', '1t'].map((text) => bytesIn(text))
    assert.deepEqual(typed, [512, 4096, 10 * 2 ** 20, 2 * 2 ** 30, 2 ** 40])
    for (const text of ['', '0', '-1', '1.5', 'M', '1P', '99999999T', '0x10'])
      assert.throws(() => bytesIn(text), /It must be a number of bytes/, text)
    for (const text of ['', '0', '-1', '1.5', '1e1', '9'])
      assert.throws(() => countIn(1, 8)(text), /from 1 to 8/, text)
    assert.equal(countIn(1, 8)('8'), 8)
  })

  test('are shown with units', () => {
    const shown = [512, 1024, 1536, 2 ** 20, 10 * 2 ** 30, 3 * 2 ** 40].map(shownBytes)
    assert.deepEqual(shown, ['512 bytes', '1 KiB', '1.5 KiB', '1 MiB', '10 GiB', '3 TiB'])
  })
})
