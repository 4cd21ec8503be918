import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { close } from '../os/events.js'
import { memoryFile, viewOf } from '../os/mapping.js'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { MemoryTable } from './memory-table.js'
import type { MemoryRegion } from './payloads.js'
import { sharedMappings } from './session.fixture.js'

checkForLeaks()

const low: MemoryRegion = { guest: 0, size: 0x8000, user: 0x7000_0000, offset: 0x2000 }
const high: MemoryRegion = { guest: 2 ** 32, size: 0x4000, user: 0x7100_0000, offset: 0 }

/** Files for regions, as long as they need. */
async function withFiles(
  regions: readonly MemoryRegion[],
  use: (fds: number[]) => Promise<void>,
): Promise<void> {
  const fds = regions.map(({ size, offset }) => memoryFile('guest', size + offset))
  try {
    await use(fds)
  } finally {
    for (const fd of fds) close(fd)
  }
}

describe('a table of the guest’s memory', () => {
  test('finds addresses of the frontend by their start and their end', async () => {
    const table = new MemoryTable(async () => {})
    await withFiles([low, high], (fds) => table.replace([low, high], fds))
    const found: [number, number, number | null][] = [
      [low.user, 1, 0],
      [low.user, 0x8000, 0],
      [low.user + 0x7fff, 1, 0x7fff],
      [high.user + 16, 16, 2 ** 32 + 16],
      [low.user, 0x8001, null],
      [low.user - 1, 2, null],
      [low.user + 0x8000, 1, null],
      [high.user + 0x4000, 0, 2 ** 32 + 0x4000],
      [2 ** 53 - 1, 1, null],
    ]
    for (const [user, length, guest] of found) assert.equal(table.toGuest(user, length), guest)
    table.close()
  })

  test('maps a file from its beginning, and a region from its offset', async () => {
    const table = new MemoryTable(async () => {})
    await withFiles([low], async ([fd = -1]) => {
      await table.add(low, fd)
      const other = new MemoryTable(async () => {})
      await other.add({ ...low, offset: 0, size: 0xa000 }, fd)
      const [mine] = table.regions
      const [whole] = other.regions
      new Uint8Array(viewOf(mine?.address ?? 0, 16))[3] = 42
      assert.equal(new Uint8Array(viewOf((whole?.address ?? 0) + 0x2000, 16))[3], 42)
      other.close()
    })
    table.close()
  })

  test('maps memory of more than 4 GiB, without taking any', async () => {
    const table = new MemoryTable(async () => {})
    const large = { guest: 0, size: 5 * 2 ** 30, user: 2 ** 40, offset: 0 }
    await withFiles([large], ([fd = -1]) => table.add(large, fd))
    assert.equal(table.toGuest(2 ** 40 + large.size - 8, 8), large.size - 8)
    const address = (table.regions[0]?.address ?? 0) + large.size - 8
    assert.equal(new Uint8Array(viewOf(address, 8))[7], 0)
    table.close()
  })

  test('unmaps what is gone only when the threads have let go of it', async () => {
    const before = sharedMappings()
    let seen = 0
    const table = new MemoryTable(async () => {
      seen = sharedMappings() - before
    })
    await withFiles([low, high], async ([first = -1, second = -1]) => {
      await table.add(low, first)
      await table.replace([high], [second])
      assert.equal(seen, 2)
      assert.equal(sharedMappings() - before, 1)
      await table.remove(high)
      assert.equal(seen, 1)
      assert.equal(sharedMappings(), before)
    })
  })

  test('keeps both, until the end, where the threads could not change over', async () => {
    const before = sharedMappings()
    let fails = false
    const table = new MemoryTable(async () => {
      if (fails) throw new Error('a thread is gone')
    })
    await withFiles([low, high], async ([first = -1, second = -1]) => {
      await table.add(low, first)
      fails = true
      await assert.rejects(table.add(high, second), /a thread is gone/)
      await assert.rejects(table.remove(low), /a thread is gone/)
    })
    assert.deepEqual(
      table.regions.map(({ guest }) => guest),
      [0],
    )
    assert.equal(sharedMappings() - before, 2)
    table.close()
    assert.equal(sharedMappings(), before)
  })

  test('maps all regions or none', async () => {
    const before = sharedMappings()
    const table = new MemoryTable(async () => {})
    await withFiles([low, high], async ([first = -1, second = -1]) => {
      const long = { ...high, size: high.size * 2 }
      await assert.rejects(table.replace([low, long], [first, second]), /has 16384 bytes/)
      await assert.rejects(table.replace([low], [first, second]), /a file of its own/)
    })
    assert.equal(sharedMappings(), before)
    assert.deepEqual(table.regions, [])
  })

  test('has 509 slots', async () => {
    const table = new MemoryTable(async () => {})
    const slot = (index: number): MemoryRegion => ({
      guest: index * 4096,
      size: 4096,
      user: index * 4096,
      offset: 0,
    })
    await withFiles([slot(0)], async ([fd = -1]) => {
      for (let index = 0; index < 509; index += 1) await table.add(slot(index), fd)
      await assert.rejects(table.add(slot(509), fd), /All 509 memory slots/)
    })
    table.close()
  })
})
