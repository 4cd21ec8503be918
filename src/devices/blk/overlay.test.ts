import assert from 'node:assert/strict'
import { openSync, readFileSync, closeSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { osThreadId } from '../../os/proc.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import type { Done, Outcome } from './back-end.js'
import type { OverlayLayer } from './layers.js'
import { overlayLocks } from './overlay.js'
import { TestMemory } from './request.fixture.js'
import { folderForTests, openHere, type OpenHere } from './thread.fixture.js'

checkForLeaks()

const size = 2 ** 20
const memory = new TestMemory()
after(() => memory.free())
const { image, name } = folderForTests()

const base = (): string => {
  const file = image(size)
  writeFileSync(file, new Uint8Array(size).fill(1))
  return file
}
const over = (file: string, overlay: string): OverlayLayer => ({
  kind: 'overlay',
  over: { kind: 'file', file, direct: false },
  file: overlay,
  locks: overlayLocks(),
})

function write({ backEnd }: OpenHere, offset: number, length: number, value: number): void {
  const segments = memory.pieces([length])
  segments.fill(0, length, value)
  assert.equal(
    backEnd.write({ segments, from: 0, length }, offset, () => {}),
    'done',
  )
}

function read({ backEnd }: OpenHere, offset: number, length: number): Uint8Array {
  const segments = memory.pieces([length])
  assert.equal(
    backEnd.read({ segments, from: 0, length }, offset, () => {}),
    'done',
  )
  const bytes = segments.all()
  memory.reset()
  return bytes
}

/** The first byte of each sector. */
const sectors = (disk: OpenHere, first: number, count: number): number[] => {
  const bytes = read(disk, first * 512, count * 512)
  return Array.from({ length: count }, (_, index) => bytes[index * 512] ?? -1)
}

/** As after a new start of the system: the file says that another run had it open. */
function asAfterNewStart(overlay: string): void {
  const fd = openSync(overlay, 'r+')
  writeSync(fd, 'another-run-of-the-system-altogether', 64)
  closeSync(fd)
}

describe('an overlay', () => {
  test('leaves what lies below as it is', () => {
    const file = base()
    const disk = openHere(over(file, name()), true)
    write(disk, 512, 512, 7)
    assert.deepEqual(sectors(disk, 0, 3), [1, 7, 1])
    disk.close()
    assert.ok(readFileSync(file).every((byte) => byte === 1))
  })

  test('is there again when it is opened again, flushed or not', () => {
    const [file, overlay] = [base(), name()]
    const first = openHere(over(file, overlay), true)
    write(first, 512, 512, 7)
    first.close()
    const second = openHere(over(file, overlay), true)
    assert.deepEqual(sectors(second, 0, 3), [1, 7, 1])
    second.close()
  })

  test('has after a new start of the system what was flushed, and else what lies below', () => {
    const [file, overlay] = [base(), name()]
    const first = openHere(over(file, overlay), true)
    write(first, 512, 512, 7)
    assert.equal(
      first.backEnd.flush(() => {}),
      'done',
    )
    write(first, 65536, 512, 8)
    first.close()
    asAfterNewStart(overlay)
    const second = openHere(over(file, overlay), true)
    assert.deepEqual(sectors(second, 0, 3), [1, 7, 1])
    assert.deepEqual(sectors(second, 128, 3), [1, 1, 1])
    write(second, 65536 + 512, 512, 9)
    assert.deepEqual(sectors(second, 128, 3), [1, 9, 1], 'nothing old comes up with it')
    second.close()
  })

  test('reads zeros where it was zeroed, not what lies below', () => {
    const disk = openHere(over(base(), name()), true)
    assert.equal(
      disk.backEnd.zero(512, 8192, true, () => {}),
      'done',
    )
    assert.deepEqual(sectors(disk, 0, 18), [1, ...Array.from({ length: 16 }, () => 0), 1])
    disk.close()
  })

  test('keeps writes of two threads to one cluster that lies below', () => {
    const layer = {
      kind: 'overlay',
      over: { kind: 'file', file: base(), direct: false },
      file: name(),
      locks: overlayLocks(),
    } as const
    const disks = [openHere(layer, true), openHere(layer)] as const
    // Another thread has the lock of the stripe.
    layer.locks[0] = osThreadId() ?? -1
    const segments = memory.pieces([512])
    segments.fill(0, 512, 5)
    const ends: boolean[] = []
    const begin = (disk: OpenHere, offset: number): Outcome => {
      const done: Done = (ok) => ends.push(ok)
      return disk.backEnd.write({ segments, from: 0, length: 512 }, offset, done)
    }
    assert.deepEqual([begin(disks[0], 0), begin(disks[1], 512)], ['later', 'later'])
    disks[0].wait()
    assert.deepEqual(ends, [], 'both wait for the lock')
    layer.locks[0] = 0
    for (const disk of disks) disk.wait()
    assert.deepEqual(ends, [true, true])
    assert.equal(layer.locks[0], 0)
    assert.deepEqual(sectors(disks[0], 0, 3), [5, 5, 1])
    for (const disk of disks) disk.close()
  })

  test('has room for all its bits from the beginning: to set one never fails', () => {
    const file = `${name()}.overlay`
    const large = image(2 ** 36)
    openHere(over(large, file), true).close()
    // A page for the header, and two bits for each cluster of 4096 bytes; no data.
    assert.equal(statSync(file).blocks * 512, 4096 + 2 * (2 ** 36 / 4096 / 8))
  })

  test('takes the lock that a thread has left behind which ended with it', () => {
    const layer = over(base(), name())
    const disk = openHere(layer, true)
    // No system gives such a number to a thread.
    layer.locks[0] = 2 ** 22 + 1
    write(disk, 512, 512, 7)
    assert.deepEqual(sectors(disk, 0, 3), [1, 7, 1])
    assert.equal(layer.locks[0], 0)
    disk.close()
  })

  test('cannot be opened twice, nor for a disk of another size, nor what is none', () => {
    const [file, overlay] = [base(), name()]
    const first = openHere(over(file, overlay), true)
    const refusal = { code: 'ERR_DISK_IMAGE' }
    const again = (): unknown => openHere(over(file, overlay), true)
    assert.throws(again, { ...refusal, message: /overlay '.*' is in use: another program/ })
    first.close()
    const larger = image(2 * size)
    const message = /is for a disk of 1048576 bytes, and this one has 2097152/
    assert.throws(() => openHere(over(larger, overlay), true), { ...refusal, message })
    const other = image(4096)
    assert.throws(() => openHere(over(file, other), true), { ...refusal, message: /is no overlay/ })
  })
})
