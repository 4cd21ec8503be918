/**
 * Files of shared memory that a frontend hands over: the guest's memory, the dirty log, the region that
 * tracks requests under way.
 *
 * A file that is cut short while it is mapped ends the process by SIGBUS at the next access behind its
 * new end, and nothing can be done about it once the frontend holds the file too. So a frontend that is
 * not trusted gets a process of its own; it can only end that one. A file sealed against shrinking
 * (F_SEAL_SHRINK, as QEMU's `memory-backend-memfd` does unless told otherwise) cannot be cut short; to
 * demand the seal would shut out files in /dev/shm and on huge pages, which cannot be sealed.
 *
 * @module
 */
import { builtin } from '../os/builtin.js'
import { map, pageBytes, unmap } from '../os/mapping.js'
import { Refusal, demand } from './refusal.js'

/** A file, or the beginning of one, mapped into this process. */
export interface Mapping {
  readonly address: number
  readonly length: number
}

/**
 * Maps a file from its beginning up to `offset + size`: pages of any size cannot be mapped from an
 * arbitrary offset.
 *
 * @param fd - stays open, and may be closed afterwards
 * @throws Refusal: it is no file of memory, is shorter than that, or the system refuses
 */
export function mapFile(fd: number, offset: number, size: number): Mapping {
  const end = offset + size
  demand(size > 0 && Number.isSafeInteger(end), `${size} bytes from ${offset} on cannot be mapped`)
  const file = builtin('node:fs').fstatSync(fd)
  demand(file.isFile(), 'The descriptor given is not of a file of shared memory')
  // An access behind the end of the file would be a SIGBUS.
  demand(end <= file.size, `The file given has ${file.size} bytes, and ${end} are told of`)
  // Huge pages are mapped, and above all unmapped, as a whole; the file tells their size.
  const unit = Math.max(pageBytes, file.blksize)
  const length = Math.ceil(end / unit) * unit
  try {
    return { address: map(fd, length), length }
  } catch (error) {
    throw new Refusal(`${length} bytes of shared memory could not be mapped: ${String(error)}`)
  }
}

/** Undoes {@link mapFile}. Nobody may touch it afterwards. */
export function unmapFile(mapping: Mapping): void {
  unmap(mapping.address, mapping.length)
}
