/**
 * The file behind the disk: made when it is missing, looked at while it is served.
 *
 * @module
 */
import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs'

/** Makes an image of zeros, which takes no room, unless the file is there. */
export function createMissing(file: string, bytes: number): void {
  try {
    const fd = openSync(file, 'wx', 0o600)
    try {
      ftruncateSync(fd, bytes)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new Error(`'${file}' cannot be made (${code})`, { cause: error })
  }
}

/** The size in bytes of a file; null where there is none, or no file. */
export function sizeOf(file: string): number | null {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : null
}
