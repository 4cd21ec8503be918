/**
 * Whatever a guest asks of a disk, it gets the status that a plain array of bytes would give, the same
 * bytes, and nothing beside its pieces of memory is touched.
 *
 * Cases are sequences of requests that keep the rules, of which a little is broken in some: so most have
 * a good header, and it is lengths, ranges and pieces that are tried.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { root } from '../root.js'

async function built(file: string): Promise<unknown> {
  return import(pathToFileURL(join(root, 'dist', 'devices', 'blk', file)).href)
}

const { Disk } = (await built('disk.js')) as typeof import('../../src/devices/blk/disk.js')
const { openLayer } = (await built('layers.js')) as typeof import('../../src/devices/blk/layers.js')
const { overlayLocks } = (await built(
  'overlay.js',
)) as typeof import('../../src/devices/blk/overlay.js')
const { diskWords } = (await built(
  'disk-words.js',
)) as typeof import('../../src/devices/blk/disk-words.js')
const { TestMemory } = (await built(
  'request.fixture.js',
)) as typeof import('../../src/devices/blk/request.fixture.js')

type Layer = import('../../src/devices/blk/layers.js').Layer
type BlkDisk = import('../../src/devices/blk/disk.js').Disk

const sequences = 1000
const perSequence = 20
const leastShare = 0.5
const sectors = 64
const mostSectors = 2 ** 21
const untouched = 0xa5
const [ok, ioError, unsupported] = [0, 1, 2]
const [IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES] = [0, 1, 4, 8, 11, 13]
const known = [IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES]

interface Range {
  readonly sector: bigint
  readonly sectors: number
  readonly flags: number
}

/** A request as its guest makes it. */
interface Case {
  readonly type: number
  readonly sector: bigint
  /** Bytes of data to write, or room for those read. */
  readonly length: number
  readonly fill: number
  readonly ranges: readonly Range[]
  /** Bytes that are there too many, or too few, in what the device reads. */
  readonly surplus: number
  readonly hasStatus: boolean
  /** Where both directions are cut into pieces, as parts of their lengths. */
  readonly cuts: readonly number[]
}

const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd })

const oddSectors = [64n, 65n, 2n ** 32n, 2n ** 53n, 2n ** 55n, 2n ** 63n, 2n ** 64n - 1n]
const sector = mostly(fc.bigInt({ min: 0n, max: 63n }), fc.constantFrom(...oddSectors))
const oddCounts = [65, 2 ** 21, 2 ** 21 + 1, 2 ** 23, 2 ** 31, 2 ** 32 - 1]

const requests: fc.Arbitrary<Case> = fc.record({
  type: mostly(
    fc.constantFrom(IN, IN, OUT, OUT, ...known),
    fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1)),
  ),
  sector,
  length: mostly(
    fc.nat({ max: 8 }).map((count) => count * 512),
    fc.nat({ max: 4096 }),
  ),
  fill: fc.nat({ max: 255 }),
  ranges: fc.array(
    fc.record({
      sector,
      sectors: mostly(fc.nat({ max: 8 }), fc.constantFrom(...oddCounts)),
      flags: mostly(fc.constantFrom(0, 0, 1), fc.constantFrom(2, 3, 2 ** 31)),
    }),
    { maxLength: 3 },
  ),
  surplus: mostly(fc.constant(0), fc.integer({ min: -20, max: 20 })),
  hasStatus: mostly(fc.constant(true), fc.constant(false)),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
})

/** All that the device reads. */
function bytesOf({ type, sector: at, length, fill, ranges, surplus }: Case): Uint8Array {
  const isRange = type === DISCARD || type === WRITE_ZEROES
  const data = type === OUT ? length : isRange ? 16 * ranges.length : 0
  const bytes = new Uint8Array(16 + data).fill(fill)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setBigUint64(8, at, true)
  if (isRange) {
    ranges.forEach((range, index) => {
      view.setBigUint64(16 + 16 * index, range.sector, true)
      view.setUint32(16 + 16 * index + 8, range.sectors, true)
      view.setUint32(16 + 16 * index + 12, range.flags, true)
    })
  }
  const given = new Uint8Array(Math.max(0, bytes.length + surplus)).fill(fill)
  given.set(bytes.subarray(0, given.length))
  return given
}

function cut(length: number, cuts: readonly number[]): number[] {
  const places = [...cuts.map((part) => Math.floor(part * length)), 0, length].sort((a, b) => a - b)
  return places
    .slice(1)
    .map((place, index) => place - (places[index] ?? 0))
    .filter((size) => size > 0)
}

/** The plain array, and which of its bytes are known: a discard leaves anything. */
class Reference {
  readonly bytes = new Uint8Array(sectors * 512)
  readonly isKnown = new Uint8Array(sectors * 512).fill(1)
  readonly #isReadOnly: boolean

  constructor(isReadOnly: boolean) {
    this.#isReadOnly = isReadOnly
  }

  /** Does a request. @returns its status */
  do(given: Uint8Array, room: number): number {
    if (given.length < 16) return ioError
    const view = new DataView(given.buffer)
    const type = view.getUint32(0, true)
    const at = view.getBigUint64(8, true)
    if (type === IN) return this.#fits(at, room) ? ok : ioError
    if (type === FLUSH || type === GET_ID) return ok
    if (type === OUT) {
      if (this.#isReadOnly || !this.#fits(at, given.length - 16)) return ioError
      this.#set(Number(at) * 512, given.subarray(16), 1)
      return ok
    }
    if (type !== DISCARD && type !== WRITE_ZEROES) return unsupported
    return this.#isReadOnly ? ioError : this.#doRanges(type, view)
  }

  #doRanges(type: number, view: DataView): number {
    const count = (view.byteLength - 16) / 16
    if (count < 1 || !Number.isInteger(count)) return ioError
    const ranges = Array.from({ length: count }, (_, index) => ({
      at: view.getBigUint64(16 + 16 * index, true),
      count: view.getUint32(16 + 16 * index + 8, true),
      flags: view.getUint32(16 + 16 * index + 12, true),
    }))
    if (ranges.some(({ flags }) => flags > (type === WRITE_ZEROES ? 1 : 0))) return unsupported
    const isBad = ({ at, count: some }: (typeof ranges)[0]): boolean =>
      some > mostSectors || !this.#fits(at, some * 512)
    if (ranges.some(isBad)) return ioError
    for (const { at, count: some } of ranges)
      this.#set(Number(at) * 512, new Uint8Array(some * 512), type === WRITE_ZEROES ? 1 : 0)
    return ok
  }

  #set(offset: number, data: Uint8Array, isKnown: 0 | 1): void {
    this.bytes.set(data, offset)
    this.isKnown.fill(isKnown, offset, offset + data.length)
  }

  #fits(at: bigint, length: number): boolean {
    return length % 512 === 0 && at + BigInt(length / 512) <= BigInt(sectors)
  }

  /** @throws AssertionError: bytes from an offset on are others */
  check(found: Uint8Array, offset: number, what: string): void {
    for (const [index, byte] of found.entries())
      if (this.isKnown[offset + index] === 1 && byte !== this.bytes[offset + index])
        assert.fail(`${what}: byte ${offset + index} is ${byte}`)
  }
}

let valid = 0
let all = 0
const memory = new TestMemory(2 ** 20)
const folder = mkdtempSync(join(tmpdir(), 'fuzz-blk-'))
after(() => {
  memory.free()
  rmSync(folder, { recursive: true })
})

const host = {
  isControl: true,
  sleepBy: () => {
    throw new Error('nothing sleeps here')
  },
}

/** Does one request, on the disk and on the reference. */
function doBoth(disk: BlkDisk, reference: Reference, given: Case): void {
  const bytes = bytesOf(given)
  const hasRoom = given.type === IN || given.type === GET_ID
  const room = hasRoom ? given.length : 0
  const length = room + (given.hasStatus ? 1 : 0)
  const pieces = { readable: cut(bytes.length, given.cuts), writable: cut(length, given.cuts) }
  const request = memory.request(bytes, room, { ...pieces, alignment: 1 })
  all++
  if (known.includes(given.type) && given.sector < sectors && bytes.length >= 16) valid++
  disk.process(request, 0)
  assert.equal(request.written, length)
  if (length === 0) return
  // Without a status of its own, the last byte of the room is the status.
  const status = reference.do(bytes, length - 1)
  assert.equal(request.status, status)
  if (given.type === IN && status === ok)
    reference.check(request.data, Number(given.sector) * 512, 'a read')
  else if (given.type !== GET_ID || status !== ok)
    assert.ok(request.data.every((byte) => byte === untouched))
}

function whole(disk: BlkDisk): Uint8Array {
  const segments = memory.pieces([sectors * 512])
  assert.equal(
    disk.backEnd.read({ segments, from: 0, length: segments.length }, 0, () => {}),
    'done',
  )
  return segments.all()
}

let files = 0
function image(bytes: number): string {
  const file = join(folder, `image-${files++}`)
  writeFileSync(file, '')
  truncateSync(file, bytes)
  return file
}

const layers: Readonly<Record<string, () => Layer>> = {
  memory: () => ({ kind: 'memory', bytes: new SharedArrayBuffer(sectors * 512) }),
  'a file': () => ({ kind: 'file', file: image(sectors * 512), direct: false }),
  'an overlay over memory': () => ({
    kind: 'overlay',
    over: { kind: 'memory', bytes: new SharedArrayBuffer(sectors * 512) },
    file: join(folder, `overlay-${files++}`),
    locks: overlayLocks(),
  }),
}

describe('requests of any kind to a disk', () => {
  for (const [what, layer] of Object.entries(layers)) {
    test(`do to ${what} what they would do to a plain array of bytes`, () => {
      const property = fc.property(
        fc.array(requests, { minLength: perSequence, maxLength: perSequence }),
        fc.integer({ min: 0, max: 9 }),
        (sequence, dice) => {
          const readOnly = dice === 0 && what === 'memory'
          memory.reset()
          const backEnd = openLayer(layer(), { readOnly, host, after: () => {} })
          const words = diskWords(backEnd.size)
          const traits = { readOnly, queues: 1, blockSize: 512, serial: '' }
          const disk = new Disk({ ...traits, backEnd, words })
          try {
            const reference = new Reference(readOnly)
            for (const request of sequence) doBoth(disk, reference, request)
            memory.checkGuards()
            reference.check(whole(disk), 0, 'at the end')
          } finally {
            disk.close()
          }
        },
      )
      fc.assert(property, { numRuns: sequences, endOnFailure: true })
    })
  }

  test('most of them have a header that is good', () => {
    assert.ok(all >= 3 * sequences * perSequence, `${all} requests`)
    assert.ok(valid >= leastShare * all, `${valid} of ${all}`)
  })
})
