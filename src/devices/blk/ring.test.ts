import assert from 'node:assert/strict'
import { closeSync, constants, openSync, truncateSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { Uring } from '../../os/uring.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import { places } from './ring.js'
import { TestMemory } from './request.fixture.js'
import { folderForTests, openHere, type OpenHere } from './thread.fixture.js'

checkForLeaks()

const sectors = 4096
const { folder, image } = folderForTests()
const memory = new TestMemory()
after(() => memory.free())

/** Why there is no way past the page cache here; false where there is. */
function noDirect(): string | false {
  try {
    closeSync(openSync(image(512), constants.O_RDWR | constants.O_DIRECT))
    new Uring(1).close()
    return false
  } catch (error) {
    return `${folder}: ${(error as Error).message}`
  }
}

/** A disk whose sectors begin with their numbers. */
function numbered(): { file: string; disk: OpenHere } {
  const file = image(sectors * 512)
  const numbers = new Uint32Array(sectors * 128)
  for (let sector = 0; sector < sectors; sector++) numbers[sector * 128] = sector
  writeFileSync(file, numbers)
  return { file, disk: openHere({ kind: 'file', file, direct: true }) }
}

describe('a disk past the page cache', { skip: noDirect() }, () => {
  test('takes more requests at once than its ring has places', () => {
    const { disk } = numbered()
    const count = 3 * places
    const ends: boolean[] = []
    const asked = Array.from({ length: count }, (_, sector) => {
      // Some lie where the system cannot write past the page cache.
      const segments = memory.pieces([512], 512, sector % 50 === 7 ? 2 : 0)
      const done = (ok: boolean): unknown => ends.push(ok)
      const outcome = disk.backEnd.read({ segments, from: 0, length: 512 }, sector * 512, done)
      if (outcome !== 'later') ends.push(outcome === 'done')
      return segments
    })
    while (ends.length < count) disk.wait()
    assert.ok(ends.length === count && ends.every((ok) => ok))
    for (const [sector, segments] of asked.entries())
      assert.equal(new DataView(segments.all().buffer).getUint32(0, true), sector)
    memory.checkGuards()
    memory.reset()
    disk.close()
  })

  test('fails a read beyond the end of a file that was made shorter meanwhile', () => {
    const { file, disk } = numbered()
    truncateSync(file, 512 * 9 + 100)
    const ends: boolean[] = []
    for (const [offset, length] of [
      [512 * 8, 2048],
      [512 * 20, 512],
    ] as const) {
      const segments = memory.pieces([length], 512)
      const outcome = disk.backEnd.read({ segments, from: 0, length }, offset, (ok) =>
        ends.push(ok),
      )
      assert.equal(outcome, 'later')
    }
    while (ends.length < 2) disk.wait()
    assert.deepEqual(ends, [false, false])
    memory.reset()
    disk.close()
  })

  test('fails what is not aligned as the disk below wants it, at once', () => {
    const { disk } = numbered()
    const segments = memory.pieces([1024], 512)
    const read = (offset: number, length: number): string =>
      disk.backEnd.read({ segments, from: 0, length }, offset, () => {})
    assert.deepEqual([read(100, 512), read(0, 100)], ['failed', 'failed'])
    memory.reset()
    disk.close()
  })
})
