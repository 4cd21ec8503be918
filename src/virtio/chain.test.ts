import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { GuardedMemory, regions } from './guarded.fixture.js'
import {
  GuestMemory,
  RingError,
  SplitQueue,
  VIRTQ_DESC_F_INDIRECT as TABLE,
  VIRTQ_DESC_F_NEXT as NEXT,
  VIRTQ_DESC_F_WRITE as WRITE,
  type QueueSetup,
} from './index.js'
import { plainly, plainOf, RawQueue, usual, type RawDescriptor } from './raw-queue.fixture.js'

checkForLeaks()

const data = 0x12000
const table = 0x11000
const [, high] = regions
const highEnd = high.guest + high.size

/** Address, length, flags, next. */
type Short = readonly [number | bigint, number, number?, number?]

function long([address, length, flags = 0, next = 0]: Short): RawDescriptor {
  return { address, length, flags, next }
}

/** A queue in which one chain is available, that begins at descriptor 0. */
function queueWith(
  descriptors: readonly Short[],
  inTable: readonly Short[] = [],
  setup: Partial<QueueSetup> = {},
): { guarded: GuardedMemory; queue: SplitQueue; setup: QueueSetup } {
  const whole = { ...usual, ...setup }
  const guarded = new GuardedMemory()
  const raw = new RawQueue(guarded, whole)
  for (const [index, each] of descriptors.entries()) raw.describe(index, long(each))
  for (const [index, each] of inTable.entries()) raw.describe(index, long(each), table)
  raw.offer(0)
  return { guarded, queue: new SplitQueue(guarded.memory, whole), setup: whole }
}

const loop: Short = [data, 16, NEXT, 0]

const broken: readonly [
  what: string,
  says: RegExp,
  descriptors: readonly Short[],
  inTable?: readonly Short[],
  setup?: Partial<QueueSetup>,
][] = [
  ['loops back to its head', /is a loop/, [loop]],
  [
    'loops back to its middle',
    /is a loop/,
    [
      [data, 16, NEXT, 1],
      [data, 16, NEXT, 2],
      [data, 16, NEXT, 1],
    ],
  ],
  ['goes on outside of the table', /goes on at descriptor 16 of 16/, [[data, 16, NEXT, 16]]],
  ['goes on at the last number there is', /descriptor 65535 of 16/, [[data, 16, NEXT, 0xffff]]],
  ['begins before the memory', /not in the memory/, [[0xffff, 2]]],
  ['ends after a region', /not in the memory/, [[highEnd - 4, 5]]],
  ['lies after a region', /not in the memory/, [[highEnd, 1]]],
  ['lies between regions', /not in the memory/, [[0x14000, 0x1000]]],
  ['spans two regions', /not in the memory/, [[0x13000, 0xffffffff]]],
  ['has an address that overflows with its length', /not in the memory/, [[2n ** 64n - 16n, 32]]],
  ['has the last address', /not in the memory/, [[2n ** 64n - 1n, 1]]],
  ['has an address beyond exact numbers', /not in the memory/, [[2n ** 53n + BigInt(data), 16]]],
  [
    'has an address that differs in the sign bit',
    /not in the memory/,
    [[2n ** 63n + BigInt(data), 16]],
  ],
  ['has the greatest length', /4294967295 bytes .* not in the memory/, [[data, 0xffffffff]]],
  [
    'has a readable part after a writable one',
    /comes after/,
    [
      [data, 16, NEXT | WRITE, 1],
      [data, 16],
    ],
  ],
  [
    'has a readable part after an empty writable one',
    /comes after/,
    [
      [data, 0, NEXT | WRITE, 1],
      [data, 16],
    ],
  ],
  [
    'has a table that was not agreed on',
    /was not agreed on/,
    [[table, 16, TABLE]],
    [[data, 1]],
    { features: 0n },
  ],
  [
    'has a table within a table',
    /a table within a table/,
    [[table, 16, TABLE]],
    [[table + 64, 16, TABLE]],
  ],
  [
    'has a table that holds itself',
    /a table within a table/,
    [[table, 16, TABLE]],
    [[table, 16, TABLE]],
  ],
  [
    'goes on after its table',
    /goes on after its table/,
    [
      [table, 16, TABLE | NEXT, 1],
      [data, 16],
    ],
    [[data, 1]],
  ],
  ['has an empty table', /a table of 0 bytes/, [[table, 0, TABLE]]],
  [
    'has a table of less than a descriptor',
    /a table of 15 bytes/,
    [[table, 15, TABLE]],
    [[data, 1]],
  ],
  ['has a table of no whole descriptors', /a table of 24 bytes/, [[table, 24, TABLE]], [[data, 1]]],
  [
    'has a table that is too long',
    /a table of 1025 descriptors/,
    [[table, 1025 * 16, TABLE]],
    [[data, 1]],
  ],
  ['has a table of the greatest length', /descriptors/, [[table, 0xfffffff0, TABLE]], [[data, 1]]],
  [
    'has a table outside of the memory',
    /its table .* is not in the memory/,
    [[0x13ff8, 16, TABLE]],
  ],
  ['has a table at an address that overflows', /its table/, [[2n ** 64n - 16n, 32, TABLE]]],
  ['goes on outside of its table', /descriptor 2 of 2/, [[table, 32, TABLE]], [[data, 1, NEXT, 2]]],
  [
    'loops in its table',
    /is a loop/,
    [[table, 32, TABLE]],
    [
      [data, 1, NEXT, 1],
      [data, 1, NEXT, 0],
    ],
  ],
  ['has a bad address in its table', /not in the memory/, [[table, 16, TABLE]], [[0, 1]]],
  [
    'is readable in its table after a writable part',
    /comes after/,
    [
      [data, 1, NEXT | WRITE, 1],
      [table, 16, TABLE],
    ],
    [[data, 1]],
  ],
]

const whole: readonly [
  what: string,
  pieces: [readable: number, writable: number],
  descriptors: readonly Short[],
  inTable?: readonly Short[],
][] = [
  ['has one readable part', [1, 0], [[data, 16]]],
  [
    'has parts of both kinds',
    [1, 1],
    [
      [data, 16, NEXT, 1],
      [0x13000, 16, WRITE],
    ],
  ],
  [
    'has neighbours, which are one piece',
    [1, 0],
    [
      [data, 16, NEXT, 1],
      [data + 16, 8],
    ],
  ],
  [
    'has neighbours of two kinds',
    [1, 1],
    [
      [data, 16, NEXT, 1],
      [data + 16, 8, WRITE],
    ],
  ],
  [
    'has parts without bytes',
    [1, 0],
    [
      [0, 0, NEXT, 1],
      [data, 1, NEXT, 2],
      [2n ** 64n - 1n, 0, WRITE],
    ],
  ],
  ['has nothing but a part without bytes', [0, 0], [[0, 0]]],
  [
    'ends with its region, which is longer than a window',
    [1, 2],
    [
      [highEnd - 1, 1, NEXT, 1],
      [high.guest, high.size, WRITE],
    ],
  ],
  [
    'has a table',
    [1, 1],
    [[table, 32, TABLE]],
    [
      [data, 1, NEXT, 1],
      [data, 1, WRITE],
    ],
  ],
  ['has a table that is marked as writable', [1, 0], [[table, 16, TABLE | WRITE]], [[data, 1]]],
  [
    'has a table after other parts',
    [2, 1],
    [
      [data, 1, NEXT, 1],
      [table, 32, TABLE],
    ],
    [
      [data, 1, NEXT, 1],
      [data, 1, WRITE],
    ],
  ],
  ['has a table with room that is not used', [1, 0], [[table, 1024 * 4, TABLE]], [[data, 1]]],
  [
    'names a part twice',
    [2, 0],
    [
      [data, 8, NEXT, 1],
      [data, 8],
    ],
  ],
]

describe('a descriptor chain', () => {
  for (const [what, says, ...chain] of broken)
    test(`that ${what} is refused`, () => {
      const { guarded, queue, setup } = queueWith(...chain)
      assert.equal(plainly(guarded, setup, 0), null, 'the rules do not forbid it')
      for (let time = 0; time < 2; time++) {
        const thrown = caught(() => queue.next())
        assert.ok(thrown instanceof RingError, String(thrown))
        assert.match(thrown.message, says)
      }
      assert.deepEqual([queue.nextAvailable, queue.underWay], [0, 0])
      guarded.checkGuards()
    })

  for (const [what, [readable, writable], ...chain] of whole)
    test(`that ${what} is taken`, () => {
      const { guarded, queue, setup } = queueWith(...chain)
      const request = queue.next()
      assert.ok(request)
      assert.deepEqual(plainOf(request), plainly(guarded, setup, 0))
      assert.deepEqual([request.readable.count, request.writable.count], [readable, writable])
    })

  test('of as many descriptors as the queue has is taken, and of one more it is a loop', () => {
    const all = Array.from({ length: 16 }, (_, index): Short => [
      data + 32 * index,
      8,
      NEXT,
      index + 1,
    ])
    const { queue } = queueWith([...all.slice(0, -1), [data + 0x800, 8]])
    assert.equal(queue.next()?.readable.count, 16)
    assert.throws(() => queueWith([...all.slice(0, -1), [data, 8, NEXT, 0]]).queue.next(), /a loop/)
  })

  test('of 2^32 bytes is taken, and of one more is refused', () => {
    const quarter = 2 ** 22
    const bytes = new Uint8Array(quarter + 0x10000)
    const view = new DataView(bytes.buffer)
    const region = { guest: 0, size: bytes.length, address: 0, windows: [bytes] }
    const parts = { descriptors: 0, available: 0x800, used: 0xa00 }
    const queue = new SplitQueue(new GuestMemory([region]), { ...usual, ...parts })
    const describeAt = (at: number, address: number, length: number, flags: number, next = 0) => {
      view.setUint32(at, address, true)
      view.setUint32(at + 8, length, true)
      view.setUint32(at + 12, flags + (next << 16), true)
    }
    describeAt(0, 0x1000, 16 * 1024, TABLE)
    for (let index = 0; index < 1023; index++)
      describeAt(0x1000 + 16 * index, 0x8000, quarter, NEXT | WRITE, index + 1)
    describeAt(0x1000 + 16 * 1023, 0x8000, quarter, WRITE)
    view.setUint16(0x802, 1, true)
    const request = queue.take(0)
    assert.equal(request.writable.length, 2 ** 32)
    assert.equal(request.writable.count, 1024)
    request.complete(2 ** 32)
    assert.equal(view.getUint32(0xa08, true), 2 ** 32 - 1, 'as much as the used ring can say')
    describeAt(0x1000 + 16 * 1023, 0x8000, quarter + 1, WRITE)
    assert.throws(() => queue.next(), /has more than 4294967296 bytes/)
  })

  test('is read once: what a guest changes after that makes no difference', (context) => {
    const { guarded, queue, setup } = queueWith(
      [
        [data, 16, NEXT, 1],
        [table, 48, TABLE],
      ],
      [
        [data + 32, 16, NEXT, 2],
        [0, 0],
        [data + 64, 16, WRITE],
      ],
    )
    const expected = plainly(guarded, setup, 0)
    // Each number is another as soon as it has been read.
    const read: (this: DataView, at: number, isLittle?: boolean) => number = Reflect.get(
      DataView.prototype,
      'getUint32',
    )
    context.mock.method(
      DataView.prototype,
      'getUint32',
      function spoil(this: DataView, at: number, isLittle?: boolean): number {
        const value = read.call(this, at, isLittle)
        this.setUint32(at, 0xffffffff)
        return value
      },
    )
    const request = queue.next()
    assert.ok(request)
    assert.deepEqual(plainOf(request), expected)
  })
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return null
}
