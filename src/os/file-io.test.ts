import assert from 'node:assert/strict'
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import {
  bootId,
  isLockedByOther,
  lockByte,
  pathOfDescriptor,
  punchHole,
  readAt,
  syncData,
  writeAt,
  zeroRange,
} from './file-io.js'
import { lastError } from './koffi.js'
import { map, memoryFile, pageBytes, unmap, viewOf } from './mapping.js'

checkForLeaks()

const folder = mkdtempSync(join(tmpdir(), 'file-io-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'file')

test('memory is written to files and read from them by its address', () => {
  const memory = memoryFile('file-io', pageBytes)
  const address = map(memory, pageBytes)
  const bytes = new Uint8Array(viewOf(address, pageBytes))
  bytes.fill(5, 0, 100)
  writeFileSync(file, '')
  const fd = openSync(file, 'r+')
  assert.equal(writeAt(fd, address, 100, 10), 100)
  assert.ok(syncData(fd))
  assert.equal(readFileSync(file).length, 110)
  assert.equal(readAt(fd, address + 200, 200, 60), 50)
  assert.equal(bytes[249], 5)
  assert.equal(bytes[250], 0)
  assert.equal(readAt(fd, address, 10, 110), 0)
  assert.equal(readAt(-1, address, 10, 0), -1)
  assert.equal(lastError(), 'EBADF')
  closeSync(fd)
  closeSync(memory)
  unmap(address, pageBytes)
})

test('a hole reads as zeros and keeps the length of the file', () => {
  const fd = memoryFile('file-io', 4 * pageBytes)
  const path = pathOfDescriptor(fd)
  writeFileSync(path, new Uint8Array(4 * pageBytes).fill(3))
  assert.ok(punchHole(fd, pageBytes, pageBytes))
  const bytes = readFileSync(path)
  assert.deepEqual(
    [0, 1, 2, 3].map((page) => bytes[page * pageBytes]),
    [3, 0, 3, 3],
  )
  assert.equal(fstatSync(fd).size, 4 * pageBytes)
  assert.equal(zeroRange(-1, 0, 1), false)
  closeSync(fd)
})

test('a lock on a byte is seen by whoever opens the file anew, until it is closed', () => {
  writeFileSync(file, '')
  const [one, other] = [openSync(file, 'r+'), openSync(file, 'r+')]
  assert.ok(lockByte(one, 100))
  assert.equal(isLockedByOther(one, 100), false)
  assert.equal(isLockedByOther(other, 100), true)
  assert.equal(isLockedByOther(other, 101), false)
  assert.ok(lockByte(other, 100), 'it is shared')
  closeSync(one)
  assert.equal(isLockedByOther(other, 100), false)
  closeSync(other)
})

test('a run of the system has one name', () => {
  assert.match(bootId(), /^[0-9a-f-]{36}$/)
  assert.equal(bootId(), bootId())
})
