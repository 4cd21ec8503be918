/**
 * The capacity of a disk, two words, which changes while others read it (`devices/blk/disk-words.ts`).
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Code, Protocol } from '../engine/protocol.js'
import type * as memory from '../memory.js'

const sectorBytes = 512
/** In sectors; each differs from the others in both words. */
const sizes = [1, 2, 3, 4].map((each) => each * (2 ** 32 + 1))

export default async function capacity(code: Code): Promise<Protocol<memory.Words>> {
  const real = (await code(
    'devices/blk/disk-words.js',
  )) as typeof import('../../../src/devices/blk/disk-words.js')
  const { capacityOf, diskWords, setCapacity } = real
  return {
    name: 'capacity',
    promise:
      'Whoever reads the capacity of a disk finds one that it has had, and never goes back to an ' +
      'earlier one, also when the thread that changes it is terminated.',
    setUp: () => diskWords((sizes[0] ?? 0) * sectorBytes),
    threads: {
      doomed(words) {
        for (const size of sizes.slice(1)) setCapacity(words, size * sectorBytes)
      },
      reader: (words) => [capacityOf(words), capacityOf(words)],
      killer(_, model) {
        model.kill('doomed')
        model.ended('doomed')
      },
    },
    check({ threads: { reader } }, words) {
      assert.ok(reader?.state === 'returned', 'the reader is stuck')
      const found = [...(reader.value as readonly number[]), capacityOf(words)]
      const places = found.map((size) => sizes.indexOf(size))
      assert.ok(!places.includes(-1), `it never was one of ${found.join()}`)
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        'it went back',
      )
    },
    wordName: (index) => ['turn', 'low', 'high', 'low', 'high'][index] ?? `word ${index}`,
  }
}
