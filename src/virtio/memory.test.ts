import assert from 'node:assert/strict'
import { closeSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { longestViewBytes, map, memoryFile, unmap, viewOf } from '../os/mapping.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { GuardedMemory, layout, regions } from './guarded.fixture.js'
import { Chain, GuestMemory, overlapBytes, windowsOf, type GuestRegion } from './index.js'

checkForLeaks()

const [low, high] = regions

function region(guest: number, size: number): GuestRegion {
  return { guest, size, address: 0, windows: [new Uint8Array(size)] }
}

/** A chain with these parts, as the reader of chains makes it. */
function chainOf(memory: GuestMemory, parts: readonly (readonly [number, number])[]): Chain {
  const chain = new Chain(() => {})
  chain.begin(0)
  for (const [address, length] of parts) {
    const found = memory.find(address, length)
    assert.ok(found)
    chain.writable.add(found, address, length)
  }
  return chain
}

describe("the guest's memory", () => {
  test('has what lies in one region from start to end, and nothing else', () => {
    const { memory } = new GuardedMemory()
    const has = (address: number, length: number): boolean => memory.find(address, length) !== null
    for (const { guest, size } of regions) {
      assert.ok(has(guest, size) && has(guest + size - 1, 1) && has(guest, 0))
      assert.ok(!has(guest, size + 1) && !has(guest - 1, 2) && !has(guest + size, 1))
      assert.ok(!has(guest + 1, 2 ** 32 - 1) && !has(guest - 1, 1))
    }
    for (const address of [0, 2 ** 32, 2 ** 53, 2 ** 53 + low.guest, 2 ** 63, 2 ** 64])
      assert.ok(!has(address, 1), `${address} is in the memory`)
    assert.ok(!new GuestMemory([]).find(0, 1) && !new GuestMemory([]).find(0, 0))
  })

  test('finds every address in as many regions as a frontend can have', () => {
    const regionsOf = Array.from({ length: 509 }, (_, index) => region(index * 0x30, 0x20))
    const memory = new GuestMemory(regionsOf.toReversed())
    for (let address = 0; address < 509 * 0x30; address++) {
      const found = memory.find(address, 1)
      if (address % 0x30 >= 0x20) assert.equal(found, null)
      else assert.equal(found?.guest, address - (address % 0x30))
    }
  })

  test('refuses regions that overlap or cannot be', () => {
    const neighbours = [region(0x2000, 0x1000), region(0x1000, 0x1000)]
    assert.ok(new GuestMemory(neighbours).find(0x1fff, 1))
    assert.equal(new GuestMemory(neighbours).find(0x1fff, 2), null, 'one part, two regions')
    for (const [message, ...wrong] of [
      [/overlap at 0x1fff/, region(0x1000, 0x1000), region(0x1fff, 1)],
      [/overlap at 0x1000/, region(0x1000, 1), region(0x1000, 1)],
      [/overlap at 0x1800/, region(0x1000, 0x1000), region(0x1800, 1)],
      [/cannot have 0 bytes/, region(0, 0)],
      [/cannot have 2 bytes/, region(Number.MAX_SAFE_INTEGER, 2)],
      [/cannot have 1 bytes/, region(-1, 1)],
      [/cannot have 1 bytes/, { ...region(0, 1), guest: 0.5 }],
      [/not seen through its windows/, { ...region(0, 2), windows: [new Uint8Array(1)] }],
      [/not seen through its windows/, { ...region(0, 2), windows: [] }],
    ] as const)
      assert.throws(() => new GuestMemory(wrong), { name: 'RangeError', message })
  })

  test('is seen through windows of which one has whatever is not longer than they overlap', () => {
    const longest = layout.stepBytes + layout.overlapBytes
    for (const size of [1, longest - 1, longest, longest + 1, 3 * layout.stepBytes, 100_000]) {
      const windows = windowsOf(size, layout)
      const last = windows.at(-1)
      assert.equal((last?.offset ?? 0) + (last?.length ?? 0), size)
      assert.ok(windows.every(({ length }) => length > 0 && length <= longest))
      for (let start = 0; start < size; start += 511) {
        const length = Math.min(layout.overlapBytes, size - start)
        const has = windows.some(
          (window) => start >= window.offset && start + length <= window.offset + window.length,
        )
        assert.ok(has, `${length} bytes at ${start} of ${size}`)
      }
    }
    const { memory } = new GuardedMemory()
    for (let start = 0; start + layout.overlapBytes <= low.size; start += 13)
      assert.ok(memory.place(low.guest + start, layout.overlapBytes))
    assert.equal(memory.place(low.guest, low.size), null)
  })

  test('of more than 4 GiB is seen in every place, through views that no version of Node refuses', () => {
    const size = 5 * 2 ** 30 + 4096
    const fd = memoryFile('guest', size)
    const address = map(fd, size)
    closeSync(fd)
    try {
      const windows = windowsOf(size).map(
        ({ offset, length }) => new Uint8Array(viewOf(address + offset, length)),
      )
      assert.ok(windows.every(({ length }) => length <= longestViewBytes))
      const memory = new GuestMemory([{ guest: 2 ** 32, size, address, windows }])
      for (const offset of [0, 2 ** 30 - overlapBytes, 2 ** 30, 2 ** 32 - 3, size - 4096]) {
        const chain = chainOf(memory, [[2 ** 32 + offset, 4096]])
        assert.equal(chain.writable.count, 1)
        assert.equal(chain.writable.address(0), address + offset)
        assert.equal(chain.writable.guest(0), 2 ** 32 + offset)
        chain.writable.fill(0, 4096, 7)
        // What one window shows, the next shows too.
        const around = windowsOf(size).flatMap((window, index) => {
          const inWindow = offset - window.offset
          return inWindow >= 0 && inWindow < window.length ? [windows[index]?.[inWindow]] : []
        })
        assert.ok(
          around.length > 0 && around.every((byte) => byte === 7),
          `${offset}: ${around.join()}`,
        )
      }
      const most = chainOf(memory, [[2 ** 32, size]])
      assert.ok(most.writable.count > 4 && most.writable.length === size)
    } finally {
      unmap(address, size)
    }
  })
})

/** An address and a length that are in a region. */
const part = fc.oneof(
  ...regions.map(({ guest, size }) =>
    fc
      .tuple(fc.nat(size - 1), fc.nat(0x3000))
      .map(([offset, length]): [number, number] => [
        guest + offset,
        1 + Math.min(length, size - offset - 1),
      ]),
  ),
)

describe('the pieces of a request', () => {
  test('are read, written and filled as if they were one, at any offset', () => {
    const guarded = new GuardedMemory()
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.nat(0x4000),
        fc.nat(0x3000),
        (parts, offset, length) => {
          guarded.fill()
          const { writable } = chainOf(guarded.memory, parts)
          const bytes = (): Uint8Array =>
            Buffer.concat(parts.map(([address, size]) => guarded.at(address, size) as Uint8Array))
          const before = bytes()
          assert.equal(writable.length, before.length)
          const expected = before.subarray(offset, offset + length)
          const target = new Uint8Array(length)
          assert.equal(writable.read(offset, target), expected.length)
          assert.deepEqual(target.subarray(0, expected.length), new Uint8Array(expected))
          assert.equal(writable.fill(offset, length, 0xee), expected.length)
          const isFilled = bytes()
            .subarray(offset, offset + length)
            .every((byte) => byte === 0xee)
          assert.ok(isFilled)
          guarded.fill()
          const source = new Uint8Array(length).fill(0xdd)
          assert.equal(writable.write(offset, source), expected.length)
          assert.ok(
            bytes()
              .subarray(offset, offset + length)
              .every((byte) => byte === 0xdd),
          )
          const shown = Array.from({ length: writable.count }, (_, index) => writable.bytes(index))
          assert.deepEqual(Buffer.concat(shown), bytes())
          guarded.checkGuards()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('change nothing but their own bytes', () => {
    const guarded = new GuardedMemory()
    const expected = new GuardedMemory()
    const { writable } = chainOf(guarded.memory, [
      [low.guest + 5, 3],
      [high.guest + high.size - 70, 70],
    ])
    writable.write(2, new Uint8Array(69).fill(9))
    expected.at(low.guest + 7, 1)?.fill(9)
    expected.at(high.guest + high.size - 70, 68)?.fill(9)
    for (const { guest, size } of regions)
      assert.deepEqual(guarded.at(guest, size), expected.at(guest, size))
    guarded.checkGuards()
  })

  test('that are not there are refused, also when an earlier request had them', () => {
    const { memory } = new GuardedMemory()
    const chain = chainOf(memory, [[low.guest, 8]])
    assert.equal(chain.writable.address(0), 0, 'nothing is mapped')
    chain.begin(0)
    for (const ask of ['address', 'guest', 'size', 'bytes'] as const)
      assert.throws(() => chain.writable[ask](0), /There is no piece 0 of 0/)
    assert.equal(chain.writable.read(0, new Uint8Array(8)), 0)
    assert.equal(chain.writable.fill(0, 8), 0)
  })

  test('are given back once, with no more bytes than they have', () => {
    const completed: number[] = []
    const chain = new Chain((_, written) => completed.push(written))
    chain.begin(3)
    for (const written of [1, -1, Number.NaN])
      assert.throws(() => chain.complete(written), /do not fit into 0/)
    chain.complete(0)
    assert.throws(() => chain.complete(0), /given back before/)
    assert.deepEqual(completed, [0])
  })
})
