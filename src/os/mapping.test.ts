import assert from 'node:assert/strict'
import { fstatSync, openSync, closeSync } from 'node:fs'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { close } from './events.js'
import { longestViewBytes, map, memoryFile, pageBytes, unmap, viewOf } from './mapping.js'
import { startOwnThread } from './own-thread.fixture.js'

const skip = process.platform === 'linux' ? false : 'needs system calls of Linux'

checkForLeaks()

/** A file in memory, closed with its test. */
function file(t: { after(run: () => void): void }, pages: number): number {
  const fd = memoryFile('test', pages * pageBytes)
  t.after(() => close(fd))
  return fd
}

/** A mapping, undone with its test. */
function mapping(t: { after(run: () => void): void }, ...of: Parameters<typeof map>): number {
  const address = map(...of)
  t.after(() => unmap(address, of[1]))
  return address
}

describe('mapped memory', { skip }, () => {
  test('is shared by all mappings of its file, each from its offset on', (t) => {
    const fd = file(t, 2)
    assert.equal(fstatSync(fd).size, 2 * pageBytes)
    const whole = new Uint8Array(viewOf(mapping(t, fd, 2 * pageBytes), 2 * pageBytes))
    const second = new Uint8Array(viewOf(mapping(t, fd, pageBytes, pageBytes), pageBytes))
    assert.ok(whole.every((byte) => byte === 0))
    second[5] = 7
    assert.equal(whole[pageBytes + 5], 7)
    whole[pageBytes] = 8
    assert.equal(second[0], 8)
  })

  test('is seen through views of any part, and takes atomic operations', (t) => {
    const address = mapping(t, file(t, 1), pageBytes)
    const words = new Int32Array(viewOf(address + 64, 8))
    assert.equal(words.length, 2)
    Atomics.add(words, 1, 5)
    assert.equal(new Uint8Array(viewOf(address, pageBytes))[68], 5)
  })

  test('is the same for another thread, by its address', async (t) => {
    const address = mapping(t, file(t, 1), pageBytes)
    const url = JSON.stringify(new URL('./mapping.js', import.meta.url).href)
    const words = new Int32Array(viewOf(address, pageBytes))
    const done = new Int32Array(new SharedArrayBuffer(4))
    await startOwnThread(
      t,
      `import(${url}).then(({ viewOf }) => {
        Atomics.store(new Int32Array(viewOf(workerData.address, 4)), 0, 77)
        Atomics.store(workerData.done, 0, 1)
        Atomics.notify(workerData.done, 0)
      })`,
      { address, done },
    )
    Atomics.wait(done, 0, 0, 60_000)
    assert.equal(Atomics.load(words, 0), 77)
  })

  test('stays when its file is closed, and can be undone in parts', () => {
    const fd = memoryFile('test', 2 * pageBytes)
    const address = map(fd, 2 * pageBytes)
    close(fd)
    unmap(address + pageBytes, pageBytes)
    const bytes = new Uint8Array(viewOf(address, pageBytes))
    bytes[0] = 1
    assert.equal(bytes[0], 1)
    unmap(address, pageBytes)
  })

  test('is refused by the error of the system', (t) => {
    const fd = file(t, 1)
    assert.throws(() => map(fd, 0), { code: 'EINVAL', syscall: 'mmap' })
    assert.throws(() => map(fd, pageBytes, 1), { code: 'EINVAL' })
    assert.throws(() => map(2 ** 20, pageBytes), { code: 'EBADF' })
    const readOnly = openSync('/proc/self/exe', 'r')
    t.after(() => closeSync(readOnly))
    assert.throws(() => map(readOnly, pageBytes), { code: 'EACCES' })
    assert.throws(() => unmap(1, pageBytes), { code: 'EINVAL', syscall: 'munmap' })
    assert.throws(() => viewOf(pageBytes, longestViewBytes + 1), RangeError)
    assert.throws(() => memoryFile('test', -1), { code: 'EINVAL', syscall: 'ftruncate' })
  })

  test('of more than 4 GiB is seen through several views', (t) => {
    const size = 5 * 2 ** 30
    const address = mapping(t, memoryFileOf(t, size), size)
    const last = new Uint8Array(viewOf(address + 4 * 2 ** 30, longestViewBytes))
    last[longestViewBytes - 1] = 9
    assert.equal(new Uint8Array(viewOf(address + size - 1, 1))[0], 9)
  })
})

function memoryFileOf(t: { after(run: () => void): void }, size: number): number {
  const fd = memoryFile('large', size)
  t.after(() => close(fd))
  return fd
}
