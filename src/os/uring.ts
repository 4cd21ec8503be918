/**
 * A ring of system calls: io_uring(7). They are noted in shared memory, one call submits them all and
 * waits, and what came of them is read from shared memory again.
 *
 * A ring belongs to the thread that makes it.
 *
 * | word of the ring | written by | ordering                                                       |
 * | ---------------- | ---------- | -------------------------------------------------------------- |
 * | submission tail  | us         | after the entries before it                                    |
 * | submission head  | the kernel | read before an entry is used again                             |
 * | completion tail  | the kernel | read before the entries before it                              |
 * | completion head  | us         | after these have been read                                     |
 *
 * @module
 */
import * as memory from '#memory'
import { close } from './events.js'
import { checked, functions, lastError, systemError } from './koffi.js'
import { map, memoryFile, pageBytes, unmap, viewOf } from './mapping.js'

const libc = functions({
  setup: 'int64_t syscall(int64_t number, int64_t entries, _Inout_ void *params)',
  enter:
    'int64_t syscall(int64_t number, int64_t fd, int64_t submit, int64_t least, int64_t flags, ' +
    'size_t argument, size_t length)',
})

/** The same on all systems. */
const SYS_io_uring_setup = 425
const SYS_io_uring_enter = 426

const IORING_SETUP_COOP_TASKRUN = 1 << 8
const IORING_SETUP_SINGLE_ISSUER = 1 << 12
const IORING_FEAT_SINGLE_MMAP = 1 << 0
const IORING_FEAT_EXT_ARG = 1 << 8
const IORING_OFF_SQES = 0x1000_0000
const IORING_ENTER_GETEVENTS = 1
const IORING_ENTER_EXT_ARG = 8
const POLLIN = 1
/** Node has no name for it. */
const ETIME = 'Unknown system error -62'

/** What an entry asks for. */
export const operations = {
  IORING_OP_READV: 1,
  IORING_OP_WRITEV: 2,
  IORING_OP_FSYNC: 3,
  IORING_OP_POLL_ADD: 6,
  IORING_OP_READ: 22,
  IORING_OP_WRITE: 23,
} as const
/** A flag of IORING_OP_FSYNC. */
export const IORING_FSYNC_DATASYNC = 1

/**
 * So many are submitted at once, while the thread notes further ones: else the disk stands idle meanwhile.
 * Of 32 reads at a time, 4 gave 17 % more than all at once, 8 and 16 gave 11 % (measured).
 */
const mostNoted = 4

const entryBytes = 64
const completionBytes = 16
const paramsBytes = 120
/** Words of `struct io_uring_params`. */
const inParams = {
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  sqHead: 10,
  sqTail: 11,
  sqMask: 12,
  sqArray: 16,
  cqHead: 20,
  cqTail: 21,
  cqMask: 22,
  cqCompletions: 25,
}

/** A call is done by a thread of the kernel's from the beginning. As it lies in an entry, behind the operation. */
export const IOSQE_ASYNC: number = 0x10 << 8

export class Uring {
  /** Readable while there are completions. */
  readonly fd: number
  /** How many entries fit between two submissions. */
  readonly entries: number
  readonly #ring: memory.Words
  readonly #submissions: Uint32Array
  readonly #at: { sqHead: number; sqTail: number; cqHead: number; cqTail: number; cqes: number }
  readonly #sqMask: number
  readonly #cqMask: number
  readonly #mappings: { address: number; length: number }[] = []
  /** How long a wait is: the argument of the call, and the time that it points to. */
  readonly #argument: number
  readonly #time: BigInt64Array
  /** What stands there. */
  #timeoutMs = 0
  /** Noted and not submitted yet. */
  #noted = 0

  /**
   * @param entries - a power of two
   * @throws the system's error: ENOSYS or EPERM where rings are not to be had, ENOMEM
   */
  constructor(entries: number) {
    const params = setUp(entries)
    this.fd = params.fd
    try {
      const word = (name: keyof typeof inParams): number => params.words[inParams[name]] ?? 0
      const needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_EXT_ARG
      if ((word('features') & needed) !== needed) throw systemError('io_uring_setup', 'ENOSYS')
      this.entries = word('sqEntries')
      const ringBytes = Math.max(
        word('sqArray') + 4 * this.entries,
        word('cqCompletions') + completionBytes * word('cqEntries'),
      )
      const ring = this.#map(this.fd, ringBytes, 0)
      this.#ring = new Int32Array(ring.view) as never
      const submissions = this.#map(this.fd, entryBytes * this.entries, IORING_OFF_SQES)
      this.#submissions = new Uint32Array(submissions.view)
      this.#sqMask = this.#ring[word('sqMask') / 4] ?? 0
      this.#cqMask = this.#ring[word('cqMask') / 4] ?? 0
      this.#at = {
        sqHead: word('sqHead') / 4,
        sqTail: word('sqTail') / 4,
        cqHead: word('cqHead') / 4,
        cqTail: word('cqTail') / 4,
        cqes: word('cqCompletions') / 4,
      }
      // Entries go in their order, once and for all.
      for (let index = 0; index < this.entries; index++)
        this.#ring[word('sqArray') / 4 + index] = index
      const wait = this.#scratch()
      this.#argument = wait.address
      const argument = new BigUint64Array(wait.view)
      argument[2] = BigInt(wait.address + 64)
      this.#time = new BigInt64Array(wait.view, 64, 2)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * Notes a call; it is submitted by the next {@link enter}, or as soon as there are a few.
   *
   * @param operation - with {@link IOSQE_ASYNC} or without
   * @param mark - comes back with what came of it: a whole number from 0 to 2^32 - 1
   * @returns false: the kernel takes no more until completions have been reaped
   */
  note(
    operation: number,
    fd: number,
    address: number,
    length: number,
    offset: number,
    flags: number,
    mark: number,
  ): boolean {
    const ring = this.#ring
    const tail = ring[this.#at.sqTail] ?? 0
    if (this.#isFull(tail)) {
      this.enter(0, 0)
      if (this.#isFull(tail)) return false
    }
    const entries = this.#submissions
    const at = (tail & this.#sqMask) * (entryBytes / 4)
    entries[at] = operation
    entries[at + 1] = fd
    entries[at + 2] = offset
    entries[at + 3] = offset / 2 ** 32
    entries[at + 4] = address
    entries[at + 5] = address / 2 ** 32
    entries[at + 6] = length
    entries[at + 7] = flags
    entries[at + 8] = mark
    entries[at + 9] = 0
    entries.fill(0, at + 10, at + 16)
    memory.store(ring, this.#at.sqTail, tail + 1)
    this.#noted++
    if (this.#noted >= mostNoted) this.enter(0, 0)
    return true
  }

  /** Notes that `mark` is to come when a descriptor is readable, once. */
  notePoll(fd: number, mark: number): boolean {
    return this.note(operations.IORING_OP_POLL_ADD, fd, 0, 0, 0, POLLIN, mark)
  }

  /** Whether completions are there. */
  get isReady(): boolean {
    return memory.load(this.#ring, this.#at.cqTail) !== this.#ring[this.#at.cqHead]
  }

  /**
   * Submits what was noted, and waits for completions.
   *
   * @param least - so many; 0 waits for none
   * @param timeoutMs - gives up after so long; less than 0 is never
   */
  enter(least: number, timeoutMs: number): void {
    if (this.#noted === 0 && least === 0) return
    let flags = least > 0 ? IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG : 0
    let [argument, length] = [0, 0]
    if (least > 0 && timeoutMs >= 0) {
      this.#setTime(timeoutMs)
      ;[argument, length] = [this.#argument, 24]
    } else flags &= ~IORING_ENTER_EXT_ARG
    const submit = this.#noted
    const taken = libc().enter(SYS_io_uring_enter, this.fd, submit, least, flags, argument, length)
    if (taken >= 0) this.#noted -= taken
    else {
      const code = lastError()
      // Time, a signal, or too much under way: what was noted and not taken is tried again next time.
      if (![ETIME, 'EINTR', 'EAGAIN', 'EBUSY'].includes(code))
        throw systemError('io_uring_enter', code)
      this.#recount()
    }
  }

  /** Hands over all completions. @returns how many there were */
  reap(hear: (mark: number, result: number) => void): number {
    const ring = this.#ring
    let count = 0
    for (;;) {
      const head = ring[this.#at.cqHead] ?? 0
      if (memory.load(ring, this.#at.cqTail) === head) return count
      const at = this.#at.cqes + (head & this.#cqMask) * (completionBytes / 4)
      const mark = (ring[at] ?? 0) >>> 0
      const result = ring[at + 2] ?? 0
      memory.store(ring, this.#at.cqHead, head + 1)
      count++
      hear(mark, result)
    }
  }

  /** Ends it. Nothing may be under way: the memory of such a call is the kernel's. */
  close(): void {
    for (const { address, length } of this.#mappings.splice(0)) unmap(address, length)
    close(this.fd)
  }

  #setTime(timeoutMs: number): void {
    if (timeoutMs === this.#timeoutMs) return
    this.#timeoutMs = timeoutMs
    this.#time[0] = BigInt(Math.floor(timeoutMs / 1000))
    this.#time[1] = BigInt(Math.floor((timeoutMs % 1000) * 1e6))
  }

  #isFull(tail: number): boolean {
    return ((tail - memory.load(this.#ring, this.#at.sqHead)) | 0) >= this.entries
  }

  #recount(): void {
    const tail = this.#ring[this.#at.sqTail] ?? 0
    this.#noted = (tail - memory.load(this.#ring, this.#at.sqHead)) | 0
  }

  /** Memory that does not move. */
  #scratch(): { address: number; view: ArrayBuffer } {
    const file = memoryFile('uring', pageBytes)
    try {
      return this.#map(file, pageBytes, 0)
    } finally {
      close(file)
    }
  }

  #map(fd: number, length: number, offset: number): { address: number; view: ArrayBuffer } {
    const address = map(fd, length, offset)
    this.#mappings.push({ address, length })
    return { address, view: viewOf(address, length) }
  }
}

/** Makes the ring, by what this kernel knows. Older ones refuse flags that they do not know. */
function setUp(entries: number): { fd: number; words: Uint32Array } {
  for (const flags of [IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER, 0]) {
    const words = new Uint32Array(paramsBytes / 4)
    words[inParams.flags] = flags
    const bytes = new Uint8Array(words.buffer)
    const fd = libc().setup(SYS_io_uring_setup, entries, bytes)
    if (fd >= 0) return { fd, words }
    if (flags === 0 || lastError() !== 'EINVAL') checked('io_uring_setup', fd)
  }
  throw systemError('io_uring_setup', 'EINVAL')
}
