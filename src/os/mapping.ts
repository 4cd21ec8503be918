/**
 * Memory that is mapped: files of memory, and the views of them.
 *
 * A view ends with its mapping: whoever touches it afterwards ends the process by SIGSEGV. So a mapping
 * is undone only when every thread that has a view of it has said that it will touch none any more.
 *
 * @module
 */
import { close } from './events.js'
import { checked, functions, needNative } from './koffi.js'

const libc = functions({
  map: 'int64_t mmap(size_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
  unmap: 'int munmap(size_t address, size_t length)',
  memoryFile: 'int memfd_create(const char *name, unsigned int flags)',
  resize: 'int ftruncate64(int fd, int64_t length)',
})

/** The unit of mapping, in bytes: on every system that Node has a binary for, or a divisor of it. */
export const pageBytes = 4096

/**
 * The longest view: Node 20 aborts the process at one of more than 4 GiB (measured), so that longer
 * memory is seen through several.
 */
export const longestViewBytes: number = 2 ** 30

const PROT_READ_WRITE = 0x3
const MAP_SHARED = 0x01
const MAP_NORESERVE = 0x4000
const MFD_CLOEXEC = 0x1

/**
 * Maps `length` bytes of a file from `offset` on, to be read and written, shared with all who map it.
 * The file may be closed afterwards.
 *
 * @param offset - a multiple of {@link pageBytes}
 * @returns the address
 * @throws the system's error, such as EACCES, ENODEV, ENOMEM
 */
export function map(fd: number, length: number, offset = 0): number {
  const flags = MAP_SHARED | MAP_NORESERVE
  return checked('mmap', libc().map(0, length, PROT_READ_WRITE, flags, fd, offset))
}

/** Undoes a mapping, or that part of one. */
export function unmap(address: number, length: number): void {
  checked('munmap', libc().unmap(address, length))
}

/** A view of mapped memory, at most {@link longestViewBytes} long. It costs some 2 µs. */
export function viewOf(address: number, length: number): ArrayBuffer {
  if (length > longestViewBytes) throw new RangeError(`A view of ${length} bytes is too long`)
  return needNative().view(address, length)
}

/** A new file in memory, with so many bytes, all zero; to be closed by the caller. */
export function memoryFile(name: string, length: number): number {
  const fd = checked('memfd_create', libc().memoryFile(name, MFD_CLOEXEC))
  try {
    checked('ftruncate', libc().resize(fd, length))
  } catch (error) {
    close(fd)
    throw error
  }
  return fd
}
