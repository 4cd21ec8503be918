/**
 * Opens the file behind a disk, and says clearly why it cannot.
 *
 * @module
 */
import { UserWorkerError } from '../../errors.js'
import { builtin } from '../../os/builtin.js'
import { deviceBlockBytes, deviceBytes } from '../../os/file-io.js'
import { lockImage } from './image-lock.js'
import { sectorBytes } from './spec.js'

/** How an image is opened. */
export interface ImageAccess {
  readonly readOnly: boolean
  /** Past the page cache. */
  readonly direct: boolean
  /** Whether to take the locks: once for a disk, in the thread of its socket. */
  readonly lock: boolean
}

/** An image that is open. */
export interface OpenImage {
  /** To be closed by whoever asked for it. */
  readonly fd: number
  readonly size: number
  /** What offsets, lengths and addresses must be multiples of: 1 through the page cache. */
  readonly alignment: number
}

/**
 * Opens an image.
 *
 * @throws UserWorkerError ERR_DISK_IMAGE: it is missing, locked, a directory, of a size that is no
 * multiple of 512, or may not be opened so
 */
export function openImage(file: string, access: ImageAccess): OpenImage {
  const fd = openFile(file, access)
  try {
    const image = measure(file, fd, access.direct)
    if (access.lock && !lockImage(fd, access.readOnly))
      throw refused(file, 'is in use: another program has locked it')
    return image
  } catch (error) {
    builtin('node:fs').closeSync(fd)
    throw error
  }
}

function openFile(file: string, { readOnly, direct }: ImageAccess): number {
  const fs = builtin('node:fs')
  const { O_RDONLY, O_RDWR, O_DIRECT } = fs.constants
  try {
    return fs.openSync(file, (readOnly ? O_RDONLY : O_RDWR) | (direct ? O_DIRECT : 0))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw refused(file, reasons(readOnly, direct)[code] ?? `cannot be opened (${code})`, error)
  }
}

const reasons = (readOnly: boolean, direct: boolean): Readonly<Record<string, string>> => ({
  ENOENT: 'does not exist',
  EACCES: readOnly ? 'may not be read by you' : 'may not be written by you: serve it read-only',
  EPERM: readOnly ? 'may not be read by you' : 'may not be written by you: serve it read-only',
  EROFS: 'lies on a file system that is read-only: serve it read-only',
  EISDIR: 'is a directory',
  ETXTBSY: 'is a program that runs',
  ...(direct && {
    EINVAL: 'lies on a file system without O_DIRECT: serve it through the page cache',
  }),
})

function measure(file: string, fd: number, direct: boolean): OpenImage {
  const stat = builtin('node:fs').fstatSync(fd)
  if (stat.isDirectory()) throw refused(file, 'is a directory')
  const isDevice = stat.isBlockDevice()
  if (!isDevice && !stat.isFile()) throw refused(file, 'is neither a file nor a block device')
  const size = isDevice ? deviceBytes(fd) : stat.size
  if (size % sectorBytes !== 0) {
    const surplus = size % sectorBytes
    throw refused(file, `has ${size} bytes, ${surplus} more than a multiple of ${sectorBytes}`)
  }
  if (size === 0) throw refused(file, 'is empty')
  return { fd, size, alignment: direct ? directAlignment(fd, isDevice) : 1 }
}

/** A file's is that of the device below it; statx(2) tells since Linux 6.1, a block of 512 is usual. */
function directAlignment(fd: number, isDevice: boolean): number {
  return isDevice ? deviceBlockBytes(fd) : sectorBytes
}

function refused(file: string, why: string, cause?: unknown): UserWorkerError {
  const facts = cause === undefined ? {} : { cause }
  return new UserWorkerError('ERR_DISK_IMAGE', `The image '${file}' ${why}`, facts)
}
