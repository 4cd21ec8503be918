/**
 * A descriptor that tells of a time: timerfd(2). For threads that sleep in a system call, where no
 * timer of the event loop wakes them.
 *
 * @module
 */
import { clear, close } from './events.js'
import { checked, functions } from './koffi.js'

const libc = functions({
  create: 'int timerfd_create(int clock, int flags)',
  set: 'int timerfd_settime(int fd, int flags, const void *value, size_t before)',
})

const CLOCK_MONOTONIC = 1
const TFD_CLOEXEC_NONBLOCK = 0o2004000

/** Readable from a time on. */
export class Alarm {
  readonly fd: number = checked(
    'timerfd_create',
    libc().create(CLOCK_MONOTONIC, TFD_CLOEXEC_NONBLOCK),
  )
  /** `struct itimerspec`: the interval, which there is none of, and the time. */
  readonly #value = new BigInt64Array(4)
  readonly #bytes = new Uint8Array(this.#value.buffer)

  /** Goes off so many milliseconds from now, and not at the time that was set before. */
  set(ms: number): void {
    // Zero would call it off.
    const microseconds = Math.max(1, Math.ceil(ms * 1000))
    this.#value[2] = BigInt(Math.floor(microseconds / 1e6))
    this.#value[3] = BigInt(microseconds % 1e6) * 1000n
    checked('timerfd_settime', libc().set(this.fd, 0, this.#bytes, 0))
  }

  /** Has heard of it. */
  clear(): void {
    clear(this.fd)
  }

  close(): void {
    close(this.fd)
  }
}
