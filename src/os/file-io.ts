/**
 * Files by addresses: what Node's own functions do for byte arrays, done for memory that is mapped, and
 * what they have no functions for.
 *
 * Those that are called often answer as the C library does, with -1 where they fail and
 * `lastError()` to tell why; the others throw.
 *
 * @module
 */
import { builtin } from './builtin.js'
import { checked, functions, lastError, systemError } from './koffi.js'

const libc = functions({
  pread: 'int64_t pread(int fd, size_t address, size_t length, int64_t offset)',
  pwrite: 'int64_t pwrite(int fd, size_t address, size_t length, int64_t offset)',
  preadv: 'int64_t preadv(int fd, size_t iovecs, int count, int64_t offset)',
  pwritev: 'int64_t pwritev(int fd, size_t iovecs, int count, int64_t offset)',
  fdatasync: 'int fdatasync(int fd)',
  reserve: 'int posix_fallocate(int fd, int64_t offset, int64_t length)',
  fallocate: 'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
  ioctl: 'int ioctl(int fd, unsigned long request, _Inout_ void *argument)',
  fcntl: 'int fcntl(int fd, int command, _Inout_ void *lock)',
})

/** The most pieces of memory that one call takes (IOV_MAX). */
export const mostIovecs = 1024
/** An entry of them: address and length. */
export const iovecBytes = 16

const FALLOC_FL_KEEP_SIZE = 0x1
const FALLOC_FL_PUNCH_HOLE = 0x2
const FALLOC_FL_ZERO_RANGE = 0x10
const BLKSSZGET = 0x1268
const BLKGETSIZE64 = 0x80081272
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const F_RDLCK = 0
const F_WRLCK = 1
const F_UNLCK = 2

/** Reads into memory. @returns the bytes read: 0 at the end of the file, -1 where it fails */
export function readAt(fd: number, address: number, length: number, offset: number): number {
  return libc().pread(fd, address, length, offset)
}

/** Writes from memory. @returns the bytes written, -1 where it fails */
export function writeAt(fd: number, address: number, length: number, offset: number): number {
  return libc().pwrite(fd, address, length, offset)
}

/** Like {@link readAt}, into several pieces. @param iovecs - the address of their entries */
export function readPieces(fd: number, iovecs: number, count: number, offset: number): number {
  return libc().preadv(fd, iovecs, count, offset)
}

/** Like {@link writeAt}, from several pieces. */
export function writePieces(fd: number, iovecs: number, count: number, offset: number): number {
  return libc().pwritev(fd, iovecs, count, offset)
}

/** What was written is on the medium afterwards. @returns whether it is */
export function syncData(fd: number): boolean {
  return again(() => libc().fdatasync(fd))
}

/** Gives space back; what is read there is zero afterwards. @returns false: it cannot be done here */
export function punchHole(fd: number, offset: number, length: number): boolean {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
  return again(() => libc().fallocate(fd, mode, offset, length))
}

/** Makes all of a range zero, and keeps its space. @returns false: it cannot be done here */
export function zeroRange(fd: number, offset: number, length: number): boolean {
  const mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE
  return again(() => libc().fallocate(fd, mode, offset, length))
}

/**
 * Sees to it that a range of a file has room on its medium, and leaves its bytes as they are: where it is
 * mapped, an access that finds no room ends the process by SIGBUS.
 *
 * @returns false: there is no room
 */
export function reserve(fd: number, offset: number, length: number): boolean {
  for (;;) {
    // It answers with the error's number itself.
    const error = libc().reserve(fd, offset, length)
    if (error === 0) return true
    const code = builtin('node:util').getSystemErrorName(-error)
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return false
    if (code !== 'EINTR') throw systemError('posix_fallocate', code)
  }
}

/** The bytes of a block device. @throws the system's error */
export function deviceBytes(fd: number): number {
  const size = new BigUint64Array(1)
  checked('ioctl', libc().ioctl(fd, BLKGETSIZE64, new Uint8Array(size.buffer)))
  return Number(size[0])
}

/** The bytes of a logical block of a block device. @throws the system's error */
export function deviceBlockBytes(fd: number): number {
  const size = new Int32Array(1)
  checked('ioctl', libc().ioctl(fd, BLKSSZGET, new Uint8Array(size.buffer)))
  return size[0] ?? 0
}

/**
 * Takes a shared lock on one byte of a file; it is the open file's, and goes with it (F_OFD_SETLK).
 *
 * @returns false: somebody has it for himself
 */
export function lockByte(fd: number, byte: number): boolean {
  if (libc().fcntl(fd, F_OFD_SETLK, lockOf(F_RDLCK, byte)) === 0) return true
  const code = lastError()
  if (code === 'EAGAIN' || code === 'EACCES') return false
  throw systemError('fcntl', code)
}

/** Whether another open file holds a lock on a byte. */
export function isLockedByOther(fd: number, byte: number): boolean {
  const lock = lockOf(F_WRLCK, byte)
  checked('fcntl', libc().fcntl(fd, F_OFD_GETLK, lock))
  return new DataView(lock.buffer).getInt16(0, true) !== F_UNLCK
}

/** Names this run of the system: another one after each start of it. */
export function bootId(): string {
  return builtin('node:fs').readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

/** A name by which an open file can be opened again, in this process. */
export function pathOfDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** `struct flock` for one byte, counted from the beginning of the file. */
function lockOf(type: number, byte: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(32))
  view.setInt16(0, type, true)
  view.setBigInt64(8, BigInt(byte), true)
  view.setBigInt64(16, 1n, true)
  return new Uint8Array(view.buffer)
}

/** Calls until no signal comes between. @returns whether it worked */
function again(call: () => number): boolean {
  while (call() < 0) if (lastError() !== 'EINTR') return false
  return true
}
