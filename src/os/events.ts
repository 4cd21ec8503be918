/**
 * File descriptors that tell of events, and the wait for several of them: eventfd(2), poll(2).
 *
 * @module
 */
import { every, keepAlive, onNextTurn } from './clock.js'
import { checked, functions, lastError, needNative, systemError } from './koffi.js'
import { isMainThread } from './thread.js'

const libc = functions({
  eventfd: 'int eventfd(unsigned int initial, int flags)',
  read: 'int64_t read(int fd, _Out_ void *bytes, size_t count)',
  write: 'int64_t write(int fd, const void *bytes, size_t count)',
  close: 'int close(int fd)',
  fcntl: 'int fcntl(int fd, int command, int64_t argument)',
  poll: 'int poll(_Inout_ void *entries, unsigned long count, int timeoutMs)',
  epollCreate: 'int epoll_create1(int flags)',
  epollControl: 'int epoll_ctl(int set, int operation, int fd, const void *event)',
  epollWait: 'int epoll_wait(int set, _Out_ void *events, int most, int timeoutMs)',
})

const EFD_CLOEXEC_NONBLOCK = 0o2004000
const F_GETFL = 3
const F_SETFL = 4
const O_NONBLOCK = 0o4000
const POLLIN = 0x1
/** POLLERR, POLLHUP and POLLNVAL come whether asked for or not. */
const POLLBAD = 0x8 | 0x10 | 0x20
const entryBytes = 8
const one = new Uint8Array(new BigUint64Array([1n]).buffer)
const counter = new Uint8Array(8)

/** A new event, not signalled; to be closed with {@link close}. */
export function event(): number {
  return checked('eventfd', libc().eventfd(0, EFD_CLOEXEC_NONBLOCK))
}

/**
 * Signals an event. One whose counter is full is signalled already.
 *
 * @throws the system's error: the descriptor is none for this
 */
export function signal(fd: number): void {
  if (libc().write(fd, one, 8) < 0 && lastError() !== 'EAGAIN') throw systemError('write')
}

/**
 * Signalling it waits for nobody from now on, be it full, or no event at all. It is so for all who have it:
 * this is a property of what is behind the descriptor.
 */
export function neverWait(fd: number): void {
  // One that cannot be told so cannot be signalled either.
  libc().fcntl(fd, F_SETFL, libc().fcntl(fd, F_GETFL, 0) | O_NONBLOCK)
}

/** Takes the signal of an event back. @returns whether it was signalled */
export function clear(fd: number): boolean {
  if (libc().read(fd, counter, 8) > 0) return true
  if (lastError() === 'EAGAIN') return false
  throw systemError('read')
}

/** Closes a descriptor that a door of this folder has opened; Node keeps account of those that it opens itself. */
export function close(fd: number): void {
  checked('close', libc().close(fd))
}

/** How often a thread that is not the main one looks for what its event loop cannot tell it. */
const lookEveryMs = 2

/**
 * Calls `listener` in this thread's event loop while a descriptor is readable.
 *
 * In the main thread the event loop watches it. Elsewhere a timer looks every 2 ms: a watch that is open when
 * its thread is terminated, or ends, ends the process (koffi 3.3, Node 20 and 24: measured).
 *
 * @throws the system's error: the descriptor is none that becomes readable, as EPERM of a file
 */
export function watch(fd: number, listener: () => void): { close(): void } {
  // libuv aborts the process where this does not go.
  const trial = new EventSet()
  try {
    trial.add(fd, 'level')
  } finally {
    trial.close()
  }
  return isMainThread ? watchInLoop(fd, listener) : watchByLooking(fd, listener)
}

/**
 * koffi calls a function as if it were called from within another: what that resolves would go on when
 * something else ends its turn, since Node 26.4 that may be much later. So the listener has a turn of its
 * own, which comes before the event loop looks at descriptors again.
 */
function watchInLoop(fd: number, listener: () => void): { close(): void } {
  let isOpen = true
  const polled = needNative().poll(fd, { readable: true }, () => {
    onNextTurn(() => {
      if (isOpen) listener()
    })
  })
  return {
    close: () => {
      isOpen = false
      polled.close()
    },
  }
}

function watchByLooking(fd: number, listener: () => void): { close(): void } {
  const set = new PollSet()
  set.set([fd])
  const timer = every(lookEveryMs, () => {
    if (set.wait(0) > 0) listener()
  })
  const alive = keepAlive()
  return {
    close: () => {
      timer.cancel()
      alive.cancel()
    },
  }
}

/** Descriptors that are waited for together. */
export class PollSet {
  #fds: readonly number[] = []
  #entries = new Int32Array(0)
  #bytes = new Uint8Array(0)

  get fds(): readonly number[] {
    return this.#fds
  }

  /** From now on these are waited for. */
  set(fds: readonly number[]): void {
    this.#fds = fds
    this.#entries = new Int32Array(fds.flatMap((fd) => [fd, POLLIN]))
    this.#bytes = new Uint8Array(this.#entries.buffer)
  }

  /**
   * Blocks the thread until one of them is readable or broken.
   *
   * @param timeoutMs - whole milliseconds; -1 is for ever
   * @returns how many are; which ones, {@link isReady} tells. 0 after the time, or a signal.
   */
  wait(timeoutMs: number): number {
    const ready = libc().poll(this.#bytes, this.#bytes.byteLength / entryBytes, timeoutMs)
    if (ready >= 0) return ready
    if (lastError() === 'EINTR') return 0
    throw systemError('poll')
  }

  /** What the last wait found of the descriptor at `index`. */
  isReady(index: number): boolean {
    // The low half of an entry's second word is what was asked for, the high half what came.
    return (this.#entries[2 * index + 1] ?? 0) >>> 16 !== 0
  }

  /** Whether the descriptor at `index` is broken: closed, say. */
  isBroken(index: number): boolean {
    return (((this.#entries[2 * index + 1] ?? 0) >>> 16) & POLLBAD) !== 0
  }
}

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 0x1
const EPOLLET = 0x8000_0000 | 0
/** An entry is three words on x86, where it is packed, and four elsewhere; the descriptor is its second or third. */
const [entryWords, fdWord] = process.arch === 'x64' ? [3, 1] : [4, 2]
const mostAtOnce = 64

/**
 * Descriptors that are waited for together, by epoll(7). It has a descriptor of its own, which is
 * readable while one of them is ready; so it can itself be waited for in other ways.
 */
export class EventSet {
  readonly fd: number
  readonly #found = new Int32Array(mostAtOnce * entryWords)
  readonly #bytes = new Uint8Array(this.#found.buffer)

  /**
   * @param fd - of a set that another thread has made, to wait for it here. Each thread adds and takes out
   * what is its own; one closes it
   */
  constructor(fd: number = checked('epoll_create1', libc().epollCreate(EPOLL_CLOEXEC))) {
    this.fd = fd
  }

  /**
   * Adds a descriptor. It must be taken out before it is closed: the system knows it by what is behind
   * it, which may stay open elsewhere.
   *
   * @param how - `level`: it is ready as long as it is readable; `edge`: once for each time that
   * something came, so that the signals of an event need not be cleared
   */
  add(fd: number, how: 'level' | 'edge'): void {
    const entry = new Int32Array(entryWords)
    entry[0] = how === 'edge' ? EPOLLIN | EPOLLET : EPOLLIN
    entry[fdWord] = fd
    const bytes = new Uint8Array(entry.buffer)
    checked('epoll_ctl', libc().epollControl(this.fd, EPOLL_CTL_ADD, fd, bytes))
  }

  remove(fd: number): void {
    const bytes = new Uint8Array(4 * entryWords)
    checked('epoll_ctl', libc().epollControl(this.fd, EPOLL_CTL_DEL, fd, bytes))
  }

  /**
   * Blocks the thread until one of them is ready.
   *
   * @param timeoutMs - whole milliseconds; -1 is for ever
   * @returns how many {@link ready} tells of: 0 after the time, or a signal
   */
  wait(timeoutMs: number): number {
    const count = libc().epollWait(this.fd, this.#bytes, mostAtOnce, timeoutMs)
    if (count >= 0) return count
    if (lastError() === 'EINTR') return 0
    throw systemError('epoll_wait')
  }

  /** A descriptor that the last wait found. */
  ready(index: number): number {
    return this.#found[index * entryWords + fdWord] ?? -1
  }

  close(): void {
    close(this.fd)
  }
}
