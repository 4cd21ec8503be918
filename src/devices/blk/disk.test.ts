import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { checkForLeaks } from '../../worker/leaks.fixture.js'
import type { BackEnd } from './back-end.js'
import { Disk, type DiskParts } from './disk.js'
import { MemoryBackEnd } from './memory.js'
import { rangeBytesOf, requestBytes, TestMemory, type TestRequest } from './request.fixture.js'
import { countsOf, setCapacity, diskWords } from './disk-words.js'
import * as spec from './spec.js'

checkForLeaks()

const sectors = 128
const memory = new TestMemory()
after(() => memory.free())

const [ok, ioError, unsupported] = [0, 1, 2]
const data = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value)

/** A disk, its bytes, and what was flushed. */
function diskOf(parts: Partial<DiskParts> = {}) {
  const bytes = new SharedArrayBuffer(sectors * 512)
  const memoryBackEnd = new MemoryBackEnd(bytes)
  let flushes = 0
  const backEnd: BackEnd = Object.assign(Object.create(memoryBackEnd) as BackEnd, {
    read: memoryBackEnd.read.bind(memoryBackEnd),
    write: memoryBackEnd.write.bind(memoryBackEnd),
    zero: memoryBackEnd.zero.bind(memoryBackEnd),
    flush: () => {
      flushes++
      return 'done' as const
    },
  })
  const words = diskWords(bytes.byteLength)
  const traits = { readOnly: false, queues: 1, blockSize: 512, serial: 'a serial' }
  const disk = new Disk({ ...traits, backEnd, words, ...parts })
  return { disk, words, bytes: new Uint8Array(bytes), flushes: () => flushes }
}

function ask(disk: Disk, request: TestRequest): TestRequest {
  disk.process(request, 0)
  memory.checkGuards()
  return request
}

describe('a request to read', () => {
  test('gets the bytes of its sectors and the status behind them', () => {
    const { disk, bytes } = diskOf()
    bytes.fill(3, 512, 1024)
    const request = ask(disk, memory.request(requestBytes(spec.VIRTIO_BLK_T_IN, 1), 1024))
    assert.equal(request.status, ok)
    assert.equal(request.written, 1025)
    assert.deepEqual(request.data, new Uint8Array([...data(512, 3), ...data(512, 0)]))
  })

  test('may have its header and its room in any pieces', () => {
    const { disk, bytes } = diskOf()
    bytes.fill(3, 0, 512)
    const pieces = { readable: [1, 3, 12], writable: [100, 413] }
    const request = ask(disk, memory.request(requestBytes(0, 0), 512, pieces))
    assert.equal(request.status, ok)
    assert.deepEqual(request.data, data(512, 3))
  })
})

describe('a request to write', () => {
  test('writes its sectors, and says so in the one byte it may write', () => {
    const { disk, bytes } = diskOf()
    const request = ask(disk, memory.request(requestBytes(1, 2, data(1024)), 0))
    assert.deepEqual([request.status, request.written], [ok, 1])
    assert.deepEqual(
      bytes.slice(512, 2560),
      new Uint8Array([...data(512, 0), ...data(1024), ...data(512, 0)]),
    )
  })

  test('is an error on a disk that is read-only, as are those to discard and to zero', () => {
    const { disk, bytes } = diskOf({ readOnly: true })
    const range = rangeBytesOf({ sector: 0, sectors: 1 })
    for (const [type, rest] of [
      [1, data(512)],
      [11, range],
      [13, range],
    ] as const)
      assert.equal(ask(disk, memory.request(requestBytes(type, 0, rest), 0)).status, ioError)
    assert.ok(bytes.every((byte) => byte === 0))
    assert.equal((disk.features >> 5n) & 1n, 1n)
  })

  test('is flushed before it is answered, where the driver knows no flushes', () => {
    const { disk, flushes } = diskOf()
    disk.negotiated(1n << BigInt(spec.VIRTIO_BLK_F_CONFIG_WCE))
    assert.equal(ask(disk, memory.request(requestBytes(1, 0, data(512)), 0)).status, ok)
    assert.equal(flushes(), 1)
    disk.negotiated(disk.features)
    assert.equal(ask(disk, memory.request(requestBytes(1, 0, data(512)), 0)).status, ok)
    assert.equal(flushes(), 1)
  })

  test('is flushed before it is answered, while the driver has switched write-back off', () => {
    const { disk, flushes } = diskOf()
    assert.equal(disk.config()[32], 1)
    assert.equal(disk.writeConfig(32, Uint8Array.of(0)), true)
    assert.equal(disk.config()[32], 0)
    ask(disk, memory.request(requestBytes(1, 0, data(512)), 0))
    assert.equal(flushes(), 1)
  })
})

test('a flush is passed on', () => {
  const { disk, flushes } = diskOf()
  assert.equal(ask(disk, memory.request(requestBytes(4, 0), 0)).status, ok)
  assert.equal(flushes(), 1)
})

test('the serial number is 20 bytes, filled with zeros', () => {
  const request = ask(diskOf().disk, memory.request(requestBytes(8, 0), 20))
  assert.equal(request.status, ok)
  assert.equal(Buffer.from(request.data).toString(), 'a serial'.padEnd(20, '\0'))
})

describe('requests to zero and to discard', () => {
  test('have several segments', () => {
    const { disk, bytes } = diskOf()
    bytes.fill(9)
    const ranges = rangeBytesOf(
      { sector: 1, sectors: 2 },
      { sector: 9, sectors: 1, flags: 1 },
      { sector: sectors, sectors: 0 },
    )
    assert.equal(ask(disk, memory.request(requestBytes(13, 0, ranges), 0)).status, ok)
    const zeros = [...bytes.keys()].filter((at) => bytes[at] === 0)
    assert.equal(zeros.length, 3 * 512)
    assert.deepEqual([zeros[0], zeros[1024]], [512, 9 * 512])
  })

  test('do nothing at all where one segment is bad', () => {
    const { disk, bytes } = diskOf()
    bytes.fill(9)
    const good = { sector: 1, sectors: 2 }
    const bad = [
      [{ sector: sectors - 1, sectors: 2 }, ioError],
      [{ sector: 2n ** 64n - 1n, sectors: 2 }, ioError],
      [{ sector: 0, sectors: 2 ** 32 - 1 }, ioError],
      [{ sector: 0, sectors: 1, flags: 2 }, unsupported],
    ] as const
    for (const [range, status] of bad) {
      const request = memory.request(requestBytes(13, 0, rangeBytesOf(good, range)), 0)
      assert.equal(ask(disk, request).status, status)
    }
    assert.ok(bytes.every((byte) => byte === 9))
  })

  test('a discard has no flags', () => {
    const range = rangeBytesOf({ sector: 1, sectors: 2, flags: 1 })
    const request = memory.request(requestBytes(11, 0, range), 0)
    assert.equal(ask(diskOf().disk, request).status, unsupported)
  })
})

describe('a bad request', () => {
  const range = rangeBytesOf({ sector: 0, sectors: 1 })
  const many = rangeBytesOf(...Array.from({ length: 9 }, () => ({ sector: 0, sectors: 1 })))
  const bad: readonly (readonly [string, Uint8Array, number, number])[] = [
    ['reads beyond the end', requestBytes(0, sectors - 1), 1024, ioError],
    ['reads at the end', requestBytes(0, sectors), 512, ioError],
    ['has a sector that wraps round', requestBytes(0, 2n ** 64n - 1n), 1024, ioError],
    ['has a sector whose offset wraps round', requestBytes(0, 2n ** 55n), 512, ioError],
    ['reads a part of a sector', requestBytes(0, 0), 511, ioError],
    ['writes beyond the end', requestBytes(1, sectors, data(512)), 0, ioError],
    ['writes a part of a sector', requestBytes(1, 0, data(513)), 0, ioError],
    ['has no whole header', requestBytes(0, 0).subarray(0, 15), 512, ioError],
    ['has a type that nobody knows', requestBytes(77, 0), 512, unsupported],
    ['has the type of a zoned device', requestBytes(15, 0), 512, unsupported],
    ['zeroes by half a segment', requestBytes(13, 0, range.subarray(0, 8)), 0, ioError],
    ['zeroes by no segment', requestBytes(13, 0), 0, ioError],
    ['zeroes by too many segments', requestBytes(13, 0, many), 0, ioError],
  ]
  for (const [what, bytes, room, status] of bad) {
    test(`that ${what} gets its status and does nothing else`, () => {
      const disk = diskOf()
      disk.bytes.fill(9)
      const request = ask(disk.disk, memory.request(bytes, room))
      assert.equal(request.status, status)
      assert.ok(disk.bytes.every((byte) => byte === 9))
      assert.ok(
        request.data.every((byte) => byte === 0xa5),
        'its room is as it was',
      )
    })
  }

  test('that has no room for a status is given back', () => {
    const request = memory.request(requestBytes(1, 0, data(512)), 0, { writable: [] })
    assert.equal(ask(diskOf().disk, request).written, 0)
  })
})

test('a driver writes nothing but write-back to the configuration space', () => {
  const { disk } = diskOf()
  const before = disk.config()
  for (const [offset, bytes] of [
    [0, [1]],
    [32, [2]],
    [32, [0, 0]],
    [31, [0]],
    [2 ** 31, [0]],
  ] as const)
    assert.equal(disk.writeConfig(offset, Uint8Array.from(bytes)), false)
  assert.deepEqual(disk.config(), before)
})

test('the configuration space tells size, blocks, queues and limits', () => {
  const { disk, words } = diskOf({ queues: 4, blockSize: 4096 })
  const config = (): DataView => new DataView(disk.config().buffer)
  assert.equal(config().byteLength, 60)
  assert.equal(config().getUint32(0, true), sectors)
  assert.equal(config().getUint32(20, true), 4096)
  assert.equal(config().getUint16(34, true), 4)
  assert.equal((disk.features >> 12n) & 1n, 1n)
  setCapacity(words, 2 ** 42)
  assert.equal(config().getBigUint64(0, true), 2n ** 33n)
})

test('a disk that grows is read to its new end at once', () => {
  const { disk, words } = diskOf()
  setCapacity(words, 1024)
  assert.equal(ask(disk, memory.request(requestBytes(0, 2), 512)).status, ioError)
  setCapacity(words, 1536)
  assert.equal(ask(disk, memory.request(requestBytes(0, 2), 512)).status, ok)
})

test('what was done is counted', () => {
  const { disk, words } = diskOf()
  ask(disk, memory.request(requestBytes(0, 0), 1024))
  ask(disk, memory.request(requestBytes(1, 0, data(512)), 0))
  ask(disk, memory.request(requestBytes(77, 0), 0))
  ask(disk, memory.request(requestBytes(0, sectors), 512))
  const counts = countsOf(words)
  assert.deepEqual(counts, {
    ...counts,
    reads: 1,
    writes: 1,
    bytesRead: 1024,
    bytesWritten: 512,
    ioErrors: 1,
    unsupported: 1,
  })
})
