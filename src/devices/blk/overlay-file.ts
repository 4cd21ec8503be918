/**
 * The file of an overlay: which clusters of the disk it has, and their bytes.
 *
 * | part           | what                                                                          |
 * | -------------- | ----------------------------------------------------------------------------- |
 * | header         | a page: what it is, the disk's size, and during which run of the system it was last open |
 * | live bits      | a bit for each cluster that is here; set as soon as its bytes are written     |
 * | durable bits   | the same, set once a flush has put the bytes on the medium                    |
 * | data           | cluster after cluster, each at the place it has on the disk; a sparse file     |
 *
 * Both kinds of bits are mapped by all threads, and set by `or` alone; none is ever taken back. When
 * this process dies, the system still has what was written: the live bits are right. When the system
 * itself dies, a live bit may be on the medium and its cluster not: so after a new start of the
 * system the durable bits are right, and what was never flushed is gone, as on any disk.
 *
 * @module
 */
import * as memory from '#memory'
import { UserWorkerError } from '../../errors.js'
import { builtin } from '../../os/builtin.js'
import { bootId, reserve, syncData } from '../../os/file-io.js'
import { lockImage } from './image-lock.js'
import { map, pageBytes, unmap, viewOf } from '../../os/mapping.js'

/** The unit of what an overlay has: whole pages are never copied from below. */
export const clusterBytes = 4096

const magic = 'userworker overlay 1\n'
const bootAt = 64
const sizeAt = 128

export class OverlayFile {
  readonly fd: number
  /** Where the disk's first byte lies. */
  readonly dataStart: number
  readonly #bitBytes: number
  readonly #address: number
  readonly #live: memory.Words
  readonly #durable: memory.Words

  /**
   * @param isFirst - whether nobody else has it open: makes it where it is not there, and locks it
   * @throws UserWorkerError ERR_DISK_IMAGE: it cannot be opened, is another's, or no overlay for such a disk
   */
  constructor(file: string, size: number, isFirst: boolean) {
    const fs = builtin('node:fs')
    this.#bitBytes = pagesFor(size / clusterBytes / 8)
    this.dataStart = pageBytes + 2 * this.#bitBytes
    this.fd = openFile(file, isFirst)
    try {
      if (isFirst) this.#prepare(file, size)
      this.#address = map(this.fd, 2 * this.#bitBytes, pageBytes)
    } catch (error) {
      fs.closeSync(this.fd)
      throw error
    }
    this.#live = this.#words(0)
    this.#durable = this.#words(1)
    if (isFirst) this.#recover(size)
  }

  has(cluster: number): boolean {
    return ((memory.load(this.#live, cluster >>> 5) >>> (cluster & 31)) & 1) === 1
  }

  /** The bytes of these clusters are here from now on. */
  set(first: number, end: number): void {
    for (let cluster = first; cluster < end; cluster++)
      if (!this.has(cluster)) memory.or(this.#live, cluster >>> 5, 1 << (cluster & 31))
  }

  /** What was written is on the medium afterwards. @returns whether it is */
  flush(): boolean {
    const fresh: number[] = []
    for (let word = 0; word < this.#live.length; word++) {
      const bits = memory.load(this.#live, word) & ~(this.#durable[word] ?? 0)
      if (bits !== 0) fresh.push(word, bits)
    }
    if (!syncData(this.fd)) return false
    if (fresh.length === 0) return true
    for (let at = 0; at < fresh.length; at += 2)
      memory.or(this.#durable, fresh[at] ?? 0, fresh[at + 1] ?? 0)
    return syncData(this.fd)
  }

  /** Leaves the file open: it is the back end's. */
  close(): void {
    unmap(this.#address, 2 * this.#bitBytes)
  }

  #prepare(file: string, size: number): void {
    const fs = builtin('node:fs')
    const refused = (why: string): UserWorkerError =>
      new UserWorkerError('ERR_DISK_IMAGE', `The overlay '${file}' ${why}`)
    if (!lockImage(this.fd, false)) throw refused('is in use: another program has locked it')
    if (fs.fstatSync(this.fd).size === 0) fs.writeSync(this.fd, headerOf(size), 0, pageBytes, 0)
    const header = Buffer.alloc(pageBytes)
    fs.readSync(this.fd, header, 0, pageBytes, 0)
    if (header.toString('latin1', 0, magic.length) !== magic) throw refused('is no overlay')
    const own = Number(header.readBigUInt64LE(sizeAt))
    if (own !== size) throw refused(`is for a disk of ${own} bytes, and this one has ${size}`)
    fs.ftruncateSync(this.fd, this.dataStart + Math.ceil(size / clusterBytes) * clusterBytes)
    if (!reserve(this.fd, pageBytes, 2 * this.#bitBytes))
      throw refused(`needs ${2 * this.#bitBytes} bytes at once, for which there is no room`)
  }

  /** After a new start of the system, only what was flushed is sure to be there. */
  #recover(size: number): void {
    const fs = builtin('node:fs')
    const boot = Buffer.alloc(bootId().length)
    fs.readSync(this.fd, boot, 0, boot.length, bootAt)
    if (boot.toString('latin1') === bootId()) return
    this.#live.set(this.#durable)
    syncData(this.fd)
    fs.writeSync(this.fd, headerOf(size), 0, pageBytes, 0)
  }

  #words(which: number): memory.Words {
    const view = viewOf(this.#address + which * this.#bitBytes, this.#bitBytes)
    return new Int32Array(view) as never
  }
}

const pagesFor = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes

function headerOf(size: number): Buffer {
  const header = Buffer.alloc(pageBytes)
  header.write(magic, 0, 'latin1')
  header.write(bootId(), bootAt, 'latin1')
  header.writeBigUInt64LE(BigInt(size), sizeAt)
  return header
}

function openFile(file: string, mayCreate: boolean): number {
  const fs = builtin('node:fs')
  const { O_RDWR, O_CREAT } = fs.constants
  try {
    return fs.openSync(file, mayCreate ? O_RDWR | O_CREAT : O_RDWR, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const message = `The overlay '${file}' cannot be opened (${code})`
    throw new UserWorkerError('ERR_DISK_IMAGE', message, { cause: error })
  }
}
