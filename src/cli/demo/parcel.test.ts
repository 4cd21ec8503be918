import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pack } from './parcel.js'
import { asName } from './path.js'
import type { Entry, Folder } from './tree.js'
import { checkForLeaks } from '../../worker/leaks.fixture.js'

checkForLeaks()

const folders = ['', 'a', 'b'].map((path): Folder => ({
  path: asName(path),
  outputPath: asName(path),
}))

/** Every size from nothing to more than a parcel takes, in all folders. */
const files = Array.from({ length: 3000 }, (_, index): Entry => {
  const folder = folders[index % 3] ?? { path: asName(''), outputPath: asName('') }
  const size = index % 5 === 0 ? 0 : index * 100
  return { folder, name: asName(`${index}`), size, mtimeMs: 0, sum: '', changed: false }
})

describe('parcels', () => {
  test('hold each file exactly once, with files of its own folder only', () => {
    const packed = pack(files)
    assert.deepEqual(new Set(packed.flatMap((parcel) => parcel.files)), new Set(files))
    assert.equal(packed.flatMap((parcel) => parcel.files).length, files.length)
    for (const parcel of packed)
      assert.ok(parcel.files.every((entry) => entry.folder === parcel.folder))
  })

  test('come in order of their size, the biggest first, and are no longer than a big file', () => {
    const sizes = pack(files).map((parcel) => parcel.files.reduce((sum, { size }) => sum + size, 0))
    assert.deepEqual(
      sizes,
      sizes.toSorted((one, other) => other - one),
    )
    for (const { files: together } of pack(files)) assert.ok(together.length <= 32)
    assert.equal(sizes[0], 2999 * 100)
  })
})
