/**
 * UNIX stream sockets that carry file descriptors: unix(7), sendmsg(2), recvmsg(2), cmsg(3).
 *
 * No call blocks, not even on a socket that another process has made, and made a blocking one. A
 * descriptor that arrives is ours at once: whoever receives it closes it, or hands it on to one who does
 * ({@link Descriptors}).
 *
 * @module
 */
import { invalid } from '../errors.js'
import { builtin } from './builtin.js'
import { close } from './events.js'
import { checked, functions, lastError, systemError } from './koffi.js'
import { viewOf } from './mapping.js'

const libc = functions({
  allocate: 'size_t malloc(size_t bytes)',
  socket: 'int socket(int domain, int type, int protocol)',
  pair: 'int socketpair(int domain, int type, int protocol, _Out_ void *fds)',
  bind: 'int bind(int fd, const void *address, unsigned int length)',
  listen: 'int listen(int fd, int backlog)',
  accept: 'int accept4(int fd, size_t address, size_t length, int flags)',
  connect: 'int connect(int fd, const void *address, unsigned int length)',
  send: 'int64_t sendmsg(int fd, size_t message, int flags)',
  receive: 'int64_t recvmsg(int fd, size_t message, int flags)',
})

/** The most descriptors that one message carries. */
export const mostDescriptors = 8

/** The longest path of a socket, in bytes: `sun_path` has 108, the last of them 0. */
const longestPath = 107

/** More bytes than these are sent, and received, in several calls. */
const longestPart = 8192

const AF_UNIX = 1
const SOCK_STREAM_CLOEXEC_NONBLOCK = 1 | 0o2000000 | 0o4000
const SOCK_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_CTRUNC = 0x8
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000
const backlog = 8

/** A `msghdr` of 56 bytes, an `iovec` of 16, a `cmsghdr` of 16 with descriptors, then the bytes. */
const partOffset = 56
const controlOffset = partOffset + 16
const controlHead = 16
const bytesOffset = controlOffset + controlHead + 4 * mostDescriptors

interface Scratch {
  readonly address: number
  /** `words[i]` is the 8 bytes at `8 * i`. */
  readonly words: BigUint64Array
  readonly halves: Int32Array
  readonly bytes: Uint8Array
}

/** Memory that does not move, for what system calls are told by address; one for each thread. */
let made: Scratch | null = null

function scratch(): Scratch {
  if (made !== null) return made
  const length = bytesOffset + longestPart
  const address = libc().allocate(length)
  if (address === 0) throw systemError('malloc', 'ENOMEM')
  const buffer = viewOf(address, length)
  made = {
    address,
    words: new BigUint64Array(buffer, 0, bytesOffset / 8),
    halves: new Int32Array(buffer, 0, bytesOffset / 4),
    bytes: new Uint8Array(buffer, bytesOffset),
  }
  made.words.fill(0n)
  made.words[2] = BigInt(address + partOffset)
  made.words[3] = 1n
  made.words[partOffset / 8] = BigInt(address + bytesOffset)
  return made
}

/** Descriptors that have arrived: each is closed with the rest unless it was taken. */
export class Descriptors {
  readonly #fds: (number | null)[]

  constructor(fds: readonly number[]) {
    this.#fds = [...fds]
  }

  /** How many arrived, taken or not. */
  get count(): number {
    return this.#fds.length
  }

  /** From now on it is the caller's to close. @returns null where there is none, or not any more */
  take(index: number): number | null {
    const fd = this.#fds[index] ?? null
    if (fd !== null) this.#fds[index] = null
    return fd
  }

  /** Closes all that were not taken. */
  close(): void {
    for (const [index, fd] of this.#fds.entries()) {
      this.#fds[index] = null
      if (fd !== null) close(fd)
    }
  }
}

/** A socket that others connect to. */
export interface Listener {
  readonly fd: number
  readonly path: string
  /** Ends it, and removes its file, if that is still its own. */
  close(): void
}

/**
 * Listens at `path`. Its file is the user's alone (mode 0600) from the first instant. A file that a
 * socket has left behind, where nobody listens any more, is replaced.
 *
 * @throws the system's error: `EADDRINUSE` where somebody listens there; `EEXIST` where there is
 * something else; `ENOENT`, `EACCES`. TypeError with code EINVAL: the path is too long.
 */
export function listen(path: string): Listener {
  const address = addressOf(path)
  const fd = socket()
  try {
    // The file takes the mode of the socket, which nobody else sees yet: so there is no instant at
    // which others may connect. umask(2) would hold for all threads.
    builtin('node:fs').fchmodSync(fd, 0o600)
    bind(fd, address, path)
    const file = identity(path)
    checked('listen', libc().listen(fd, backlog))
    return { fd, path, close: () => closeListener(fd, path, file) }
  } catch (error) {
    close(fd)
    throw error
  }
}

/**
 * Takes a connection that waits.
 *
 * @returns its descriptor; null where none waits
 * @throws the system's error, such as EMFILE
 */
export function accept(listener: number): number | null {
  for (;;) {
    const fd = libc().accept(listener, 0, 0, SOCK_CLOEXEC_NONBLOCK)
    if (fd >= 0) return fd
    const code = lastError()
    if (code === 'EAGAIN') return null
    if (code !== 'EINTR' && code !== 'ECONNABORTED') throw systemError('accept4', code)
  }
}

/**
 * Connects to the socket at `path`.
 *
 * @throws the system's error: `ECONNREFUSED` where nobody listens, `ENOENT`, `EACCES`, `EAGAIN` where
 * more wait than the listener lets. TypeError with code EINVAL: the path is too long.
 */
export function connect(path: string): number {
  const address = addressOf(path)
  const fd = socket()
  while (libc().connect(fd, address, address.byteLength) < 0) {
    const code = lastError()
    if (code === 'EINTR') continue
    close(fd)
    throw Object.assign(systemError('connect', code), { path })
  }
  return fd
}

/** Two sockets that are connected to each other. */
export function pair(): [number, number] {
  const fds = new Int32Array(2)
  const bytes = new Uint8Array(fds.buffer)
  checked('socketpair', libc().pair(AF_UNIX, SOCK_STREAM_CLOEXEC_NONBLOCK, 0, bytes))
  return [fds[0] as number, fds[1] as number]
}

/**
 * Sends bytes, and descriptors with the first of them. The descriptors stay the caller's.
 *
 * @returns how many bytes were sent: fewer than given, or none, where the peer has not read enough; the
 * descriptors have gone with the first byte
 * @throws the system's error, such as EPIPE: the peer has closed
 */
export function send(fd: number, bytes: Uint8Array, fds: readonly number[] = []): number {
  if (fds.length > mostDescriptors) throw invalid(`Not more than ${mostDescriptors} descriptors`)
  const { address, words, halves, bytes: room } = scratch()
  const part = bytes.subarray(0, longestPart)
  room.set(part)
  words[partOffset / 8 + 1] = BigInt(part.byteLength)
  const controlBytes = controlHead + 4 * fds.length
  setControl(words, address, fds.length === 0 ? 0 : Math.ceil(controlBytes / 8) * 8)
  words[controlOffset / 8] = BigInt(controlBytes)
  halves[controlOffset / 4 + 2] = SOL_SOCKET
  halves[controlOffset / 4 + 3] = SCM_RIGHTS
  halves.set(fds, (controlOffset + controlHead) / 4)
  for (;;) {
    const sent = libc().send(fd, address, MSG_DONTWAIT | MSG_NOSIGNAL)
    if (sent >= 0) return sent
    const code = lastError()
    if (code === 'EAGAIN') return 0
    if (code !== 'EINTR') throw systemError('sendmsg', code)
  }
}

/** What {@link receive} found. */
export interface Received {
  /** How many bytes have come; 0 is the end: the peer has closed. */
  readonly length: number
  /** The descriptors that came with them, ours to close. */
  readonly fds: readonly number[]
}

/**
 * Receives bytes into `target`, at most so many as it has.
 *
 * @returns null where nothing is there yet
 * @throws the system's error, such as ECONNRESET; EMSGSIZE: there were more descriptors than one message
 * may carry, or than this process has room for. Those that came are closed.
 */
export function receive(fd: number, target: Uint8Array): Received | null {
  const { address, words, halves, bytes } = scratch()
  words[partOffset / 8 + 1] = BigInt(Math.min(target.byteLength, longestPart))
  for (;;) {
    setControl(words, address, controlHead + 4 * mostDescriptors)
    const length = libc().receive(fd, address, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
    if (length >= 0) {
      const fds = arrived(words, halves)
      if (((halves[12] as number) & MSG_CTRUNC) !== 0) {
        for (const one of fds) close(one)
        throw systemError('recvmsg: too many descriptors came, it', 'EMSGSIZE')
      }
      target.set(bytes.subarray(0, length))
      return { length, fds }
    }
    const code = lastError()
    if (code === 'EAGAIN') return null
    if (code !== 'EINTR') throw systemError('recvmsg', code)
  }
}

function setControl(words: BigUint64Array, address: number, length: number): void {
  words[4] = length === 0 ? 0n : BigInt(address + controlOffset)
  words[5] = BigInt(length)
  words[6] = 0n
}

/** Only descriptors are ever asked for, so that there is one `cmsghdr` at most. */
function arrived(words: BigUint64Array, halves: Int32Array): number[] {
  if (Number(words[5]) < controlHead) return []
  const count = (Number(words[controlOffset / 8]) - controlHead) / 4
  const first = (controlOffset + controlHead) / 4
  return [...halves.subarray(first, first + Math.min(count, mostDescriptors))]
}

function socket(): number {
  return checked('socket', libc().socket(AF_UNIX, SOCK_STREAM_CLOEXEC_NONBLOCK, 0))
}

function addressOf(path: string): Uint8Array {
  const name = Buffer.from(path)
  if (name.byteLength > longestPath) {
    const length = name.byteLength
    throw invalid(
      `The path of a socket has at most ${longestPath} bytes, this has ${length}: ${path}`,
    )
  }
  if (name.byteLength === 0 || name.includes(0))
    throw invalid('The path of a socket is a file name')
  const address = new Uint8Array(2 + name.byteLength + 1)
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX
  address.set(name, 2)
  return address
}

function bind(fd: number, address: Uint8Array, path: string): void {
  for (let tries = 0; libc().bind(fd, address, address.byteLength) < 0; tries++) {
    const code = lastError()
    const wrong = code !== 'EADDRINUSE' || tries > 0 ? code : removeStale(path)
    if (wrong !== null) throw Object.assign(systemError(`bind to ${path}`, wrong), { path })
  }
}

/** @returns null where the file was a socket's that nobody listens at: it is gone; else what is wrong */
function removeStale(path: string): string | null {
  const { lstatSync, unlinkSync } = builtin('node:fs')
  const file = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (file === undefined) return null
  if (!file.isSocket()) return 'EEXIST'
  try {
    close(connect(path))
    return 'EADDRINUSE'
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ECONNREFUSED') return code === 'EAGAIN' ? 'EADDRINUSE' : (code ?? 'EADDRINUSE')
  }
  // Another process may have put its own there meanwhile.
  if (identity(path) === `${file.dev}:${file.ino}`) unlinkSync(path)
  return null
}

function closeListener(fd: number, path: string, file: string): void {
  if (identity(path) === file) builtin('node:fs').unlinkSync(path)
  close(fd)
}

/** Which file it is, whatever it is called; empty where there is none. */
function identity(path: string): string {
  const file = builtin('node:fs').lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return file === undefined ? '' : `${file.dev}:${file.ino}`
}
